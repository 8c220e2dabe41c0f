"""Schedule: which layer gets the next step."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from eplb_opt.limits import CallLimits
from eplb_opt.run.layer_run import LayerRun
from eplb_opt.run.pool import GRACE_SECONDS, POOL
from eplb_opt.run.step import START, Step, StepResult

logger = logging.getLogger(__name__)

# Steps that run when the call ends get this long in all to hand over what they found, on a distant executor as well.
_LAST_WORDS_SECONDS = 1.0
# So often a step that an executor loses, with the worker that ran it for instance, is run again.
_MOST_RERUNS = 5


@dataclass
class _Running:
    """A step that an executor has, since when it runs, and how often it was lost before."""

    layer: LayerRun
    step: Step
    began: float
    losses: int = 0


@dataclass
class Schedule:
    """Runs steps of many layers on an executor until every layer is done, time is up, or somebody interrupts.

    Layers run side by side; a layer's steps follow each other, but where workers are free other kinds of steps run
    beside. The layer with the widest gap goes first, where each step in a row without a better plan makes the
    gap count for less. With deterministic limits the clock decides nothing: each layer has its own share of work,
    and its steps depend on nothing but the layer. A step that the executor loses is run again: steps depend on nothing
    but their arguments.
    """

    layers: list[LayerRun]
    limits: CallLimits
    executor: Executor
    interrupt: Event
    on_change: Callable[[LayerRun], None]
    call: str = field(default_factory=lambda: uuid.uuid4().hex)
    _running: dict[Future[StepResult], _Running] = field(default_factory=dict)

    def first_plans(self) -> None:
        """Bound and greedy plan of every layer: never skipped, so that there is always a plan and a bound."""
        try:
            for layer in self.layers:
                self._submit(layer, layer.strategy.first_step())
            while self._running and not self._stopping():
                self._collect(timeout=0.1)
            if self._running:
                self._hurry()
            for layer in self.layers:
                layer.end_start()
        except BaseException:
            self._abandon()
            raise

    def improve_and_prove(self) -> None:
        """Search and proofs in turn, until plan and bound of every layer have met, or the call has to end."""
        try:
            while not self._stopping() and self._hand_out():
                self._collect(timeout=0.1)
            ended = monotonic()
            if not self.interrupt.is_set():
                POOL.end_starts(self.call)
                # Solvers have reached their limits, and hand over their last words.
                wait(self._running, timeout=GRACE_SECONDS)
        except BaseException:
            self._abandon()
            raise
        finally:
            POOL.end(self.call)
        self._collect_the_rest(ended + _LAST_WORDS_SECONDS - monotonic())

    def _abandon(self) -> None:
        """Nobody will ask for what runs now."""
        for future in self._running:
            future.cancel()
        POOL.end(self.call)

    def _hurry(self) -> None:
        """First plans that are late, because layers are many or the executor does not answer, are made here."""
        for future in [future for future in self._running if future.cancel()]:
            self._run_here(self._running.pop(future).layer)
        # Those that the executor has begun may be done soon.
        wait(self._running, timeout=_LAST_WORDS_SECONDS)
        self._collect(timeout=0.0)
        for layer in self.layers:
            self._run_here(layer)

    def _run_here(self, layer: LayerRun) -> None:
        """The first step of a layer that has no plan yet, in this thread."""
        if not layer.started:
            step, began = layer.strategy.first_step(hurried=True), monotonic() - self.limits.began
            self._absorb(layer, step.kind, began, step.function(*step.arguments))

    def _hand_out(self) -> bool:
        """Give every free worker a step; whether there is anything left to wait for."""
        if len(self._running) >= self.limits.workers:
            return True
        ready = [layer for layer in self.layers if not layer.done and not layer.strategy.running]
        ready.sort(key=lambda layer: layer.strategy.rank)
        for layer in ready:
            if len(self._running) >= self.limits.workers:
                break
            step = layer.strategy.next_step(self.call, *self._fair_part(layer))
            if step is None:
                layer.done = True
            else:
                self._submit(layer, step)
        for layer in self.layers:
            while len(self._running) < self.limits.workers and layer.strategy.running and not layer.done:
                step = layer.strategy.next_step(self.call, *self._fair_part(layer))
                if step is None:
                    break
                self._submit(layer, step)
        return bool(self._running) or any(not layer.done for layer in self.layers)

    def _fair_part(self, layer: LayerRun) -> tuple[float, int]:
        """Seconds and threads for a proof of this layer, if the layers that wait for one get as much."""
        proofs = layer.strategy.tally.proofs
        waiting = sum(
            not other.done and other.strategy.tally.proofs <= proofs and not other.strategy.running
            for other in self.layers
        )
        # Running ones are, on average, half done.
        pending = waiting + len(self._running) / 2
        threads = max(1, self.limits.workers // (waiting + len(self._running)))
        return self.limits.left * min(1.0, self.limits.workers / pending), threads

    def _submit(self, layer: LayerRun, step: Step, losses: int = 0) -> None:
        began = monotonic() - self.limits.began
        try:
            future = self.executor.submit(step.function, *step.arguments)
        except Exception as error:  # noqa: BLE001 - an executor of the caller's raises what it likes
            self._give_up(layer, error)
        else:
            if step.kind != START:
                layer.strategy.began(step, again=losses > 0)
            self._running[future] = _Running(layer, step, began, losses)

    def _collect(self, timeout: float) -> None:
        finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in finished:
            self._absorb_result(future, self._running.pop(future))

    def _absorb_result(self, future: Future[StepResult], running: _Running) -> None:
        layer, step = running.layer, running.step
        layer.strategy.running.discard(step.kind)
        try:
            result = future.result()
        except Exception as error:  # noqa: BLE001 - an executor of the caller's raises what it likes
            if running.losses < _MOST_RERUNS and not self._stopping():
                logger.info("layer %s: a step is run again after %r", layer.layer_id, error)
                self._submit(layer, step, running.losses + 1)
            else:
                self._give_up(layer, error)
        else:
            self._absorb(layer, step.kind, running.began, result)

    def _give_up(self, layer: LayerRun, error: Exception) -> None:
        """A step that cannot be run ends the work on its layer, and costs nothing of what is known."""
        self._run_here(layer)
        layer.give_up(f"a step failed: {type(error).__name__}: {error}", monotonic() - self.limits.began)
        self.on_change(layer)

    def _collect_the_rest(self, seconds: float) -> None:
        """What the last steps found; they are short, or their workers were ended."""
        wait(self._running, timeout=max(0.0, seconds))
        for future, running in self._running.items():
            if future.done() and not future.cancelled():
                self._absorb_result(future, running)
            future.cancel()

    def _absorb(self, layer: LayerRun, kind: str, began: float, result: StepResult) -> None:
        layer.absorb(kind, result, began)
        self.on_change(layer)

    def _stopping(self) -> bool:
        late = not self.limits.deterministic and not self.limits.left
        return late or self.interrupt.is_set()
