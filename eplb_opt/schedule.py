"""Schedule: which layer gets the next step."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from eplb_opt.budget import Budget
from eplb_opt.heuristics.registry import names
from eplb_opt.layer_solution import StoppedBy
from eplb_opt.record import LayerRecord
from eplb_opt.run.pool import GRACE_SECONDS, POOL
from eplb_opt.steps import Findings
from eplb_opt.turn import START, Step, Turn
from eplb_opt.window_turn import WindowTurn

logger = logging.getLogger(__name__)

# Steps that run when the call ends get this long in all to hand over what they found, on a distant executor as well.
_LAST_WORDS_SECONDS = 1.0
# So often a step that an executor loses, with the worker that ran it for instance, is run again.
_MOST_RERUNS = 5


@dataclass
class _Running:
    """A step that an executor has, since when it runs, and how often it was lost before."""

    turn: Turn
    step: Step
    began: float
    losses: int = 0


@dataclass
class Schedule:
    """Runs steps of many layers on an executor until every layer is done, time is up, or somebody interrupts.

    Layers run side by side; a layer's steps follow each other, but where workers are free other kinds of steps run
    beside. The layer with the widest gap goes first, where each step in a row without a better plan makes the
    gap count for less. With a deterministic budget the clock decides nothing: each layer has its own share of work,
    and its steps depend on nothing but the layer. A step that the executor loses is run again: steps depend on nothing
    but their arguments.
    """

    records: list[LayerRecord]
    method: str
    budget: Budget
    executor: Executor
    interrupt: Event
    on_change: Callable[[LayerRecord], None]
    call: str = field(default_factory=lambda: uuid.uuid4().hex)

    def run(self) -> dict[int, StoppedBy]:
        """Improve the records; why each layer, by id, stopped."""
        share = self.budget.seconds / len(self.records)
        self._turns = [
            (WindowTurn if record.instance.num_windows > 1 else Turn)(record, self.method, self.budget, share)
            for record in self.records
        ]
        self._running: dict[Future[Findings], _Running] = {}
        try:
            self._first_steps()
            while not self._stopping() and self._hand_out():
                self._collect(timeout=0.1)
            ended = monotonic()
            if not self.interrupt.is_set():
                POOL.end_starts(self.call)
                # Solvers have reached their limits, and hand over their last words.
                wait(self._running, timeout=GRACE_SECONDS)
        except BaseException:
            # Nobody will ask for what these find.
            for future in self._running:
                future.cancel()
            raise
        finally:
            POOL.end(self.call)
        self._collect_the_rest(ended + _LAST_WORDS_SECONDS - monotonic())
        return {turn.record.layer_id: self._why(turn) for turn in self._turns}

    def _first_steps(self) -> None:
        """Bound and greedy plan of every layer: never skipped, so that there is always a plan and a bound."""
        for turn in self._turns:
            self._submit(turn, turn.first_step())
        while self._running and not self._stopping():
            self._collect(timeout=0.1)
        if self._running:
            self._hurry()
        for turn in self._turns:
            turn.exhausted = self.method in ("greedy", *names())
            turn.done = turn.exhausted or turn.record.gap <= self.budget.target_gap

    def _hurry(self) -> None:
        """First plans that are late, because layers are many or the executor does not answer, are made here."""
        for future in [future for future in self._running if future.cancel()]:
            self._run_here(self._running.pop(future).turn)
        # Those that the executor has begun may be done soon.
        wait(self._running, timeout=_LAST_WORDS_SECONDS)
        self._collect(timeout=0.0)
        for turn in self._turns:
            self._run_here(turn)

    def _run_here(self, turn: Turn) -> None:
        """The first step of a layer that has no plan yet, in this thread."""
        if not turn.started:
            step, began = turn.first_step(in_a_hurry=True), monotonic() - self.budget.began
            self._absorb(turn, step.kind, began, step.function(*step.arguments))

    def _hand_out(self) -> bool:
        """Give every free worker a step; whether there is anything left to wait for."""
        if len(self._running) >= self.budget.workers:
            return True
        ready = [turn for turn in self._turns if not turn.done and not turn.running]
        ready.sort(key=lambda turn: turn.rank)
        for turn in ready:
            if len(self._running) >= self.budget.workers:
                break
            step = turn.next_step(self.call, *self._fair_part(turn))
            if step is None:
                turn.done = True
            else:
                self._submit(turn, step)
        for turn in self._turns:
            while len(self._running) < self.budget.workers and turn.running and not turn.done:
                step = turn.next_step(self.call, *self._fair_part(turn))
                if step is None:
                    break
                self._submit(turn, step)
        return bool(self._running) or any(not turn.done for turn in self._turns)

    def _fair_part(self, turn: Turn) -> tuple[float, int]:
        """Seconds and threads for a program of this layer, if the layers that wait for one get as much."""
        waiting = sum(not other.done and other.programs <= turn.programs and not other.running for other in self._turns)
        # Running programs are, on average, half done.
        pending = waiting + len(self._running) / 2
        threads = max(1, self.budget.workers // (waiting + len(self._running)))
        return self.budget.left * min(1.0, self.budget.workers / pending), threads

    def _submit(self, turn: Turn, step: Step, losses: int = 0) -> None:
        began = monotonic() - self.budget.began
        try:
            future = self.executor.submit(step.function, *step.arguments)
        except Exception as error:  # noqa: BLE001 - an executor of the caller's raises what it likes
            self._give_up(turn, error)
        else:
            if step.kind != START:
                turn.began(step, again=losses > 0)
            self._running[future] = _Running(turn, step, began, losses)

    def _collect(self, timeout: float) -> None:
        finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in finished:
            self._absorb_result(future, self._running.pop(future))

    def _absorb_result(self, future: Future[Findings], running: _Running) -> None:
        turn, step = running.turn, running.step
        turn.running.discard(step.kind)
        try:
            findings = future.result()
        except Exception as error:  # noqa: BLE001 - an executor of the caller's raises what it likes
            if running.losses < _MOST_RERUNS and not self._stopping():
                logger.info("layer %s: a step is run again after %r", turn.record.layer_id, error)
                self._submit(turn, step, running.losses + 1)
            else:
                self._give_up(turn, error)
        else:
            self._absorb(turn, step.kind, running.began, findings)

    def _give_up(self, turn: Turn, error: Exception) -> None:
        """A step that cannot be run ends the work on its layer, and costs nothing of what is known."""
        self._run_here(turn)
        turn.record.remark(f"a step failed: {type(error).__name__}: {error}", monotonic() - self.budget.began)
        turn.done = turn.exhausted = True
        self.on_change(turn.record)

    def _collect_the_rest(self, seconds: float) -> None:
        """What the last steps found; they are short, or their workers were ended."""
        wait(self._running, timeout=max(0.0, seconds))
        for future, running in self._running.items():
            if future.done() and not future.cancelled():
                self._absorb_result(future, running)
            future.cancel()

    def _absorb(self, turn: Turn, kind: str, began: float, findings: Findings) -> None:
        record, better = turn.record, False
        for item in findings.items:
            seconds = began + item.seconds
            if item.slots is not None:
                better |= record.offer_plan(item.slots, item.source, seconds)
            elif item.proof is not None:
                better |= record.offer_proof(item.proof, seconds)
            else:
                record.remark(item.source, seconds)
        record.add_work(findings.step, findings.seconds)
        turn.absorb(kind, findings, better)
        self.on_change(record)

    def _stopping(self) -> bool:
        late = not self.budget.deterministic and not self.budget.left
        return late or self.interrupt.is_set()

    def _why(self, turn: Turn) -> StoppedBy:
        if turn.record.gap <= self.budget.target_gap:
            return "gap"
        if self.interrupt.is_set():
            return "interrupt"
        return "stalled" if turn.exhausted else "time"
