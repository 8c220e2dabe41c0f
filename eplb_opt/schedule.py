"""Schedule: which layer gets the next step, and what step that is."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Event
from time import monotonic

from eplb_opt.backends.outcome import PAIRING, PROGRAM_METHODS, Limits
from eplb_opt.backends.pool import GRACE_SECONDS, POOL
from eplb_opt.backends.program import ProgramTask
from eplb_opt.formulations.assignment import num_variables
from eplb_opt.heuristics.folding import folding_applies
from eplb_opt.record import LayerRecord
from eplb_opt.solution import StoppedBy
from eplb_opt.steps import Findings, run_in_worker, search_on, start

# Search steps in a row without a better plan after which a layer is handed to the program.
_PATIENCE = 5
# With "auto" only programs this small are worth their time: beyond, the bound stays where the instant bounds are.
_WORTHWHILE_VARIABLES = 20_000
# What a search step and a solver's unit of work count for when work is limited instead of time.
_SECONDS_PER_STEP = 0.1

Step = tuple[Callable[..., Findings], tuple[object, ...]]


@dataclass
class _Turn:
    """Where one layer stands."""

    record: LayerRecord
    steps: int = 0
    step_began: float = 0.0
    fruitless: int = 0
    programs: int = 0
    done: bool = False
    exhausted: bool = False
    solvers_failed: bool = False


@dataclass(frozen=True)
class Budget:
    """What a call may use.

    Attributes
    ----------
    began
        Monotonic time at which the call began.
    seconds
        The time limit; every layer has an equal share where `deterministic`.
    target_gap
        A layer whose gap is at most this is done.
    seed, workers, deterministic
        As in `eplb_opt.solve`.
    """

    began: float
    seconds: float
    target_gap: Fraction
    seed: int
    workers: int
    deterministic: bool

    @property
    def left(self) -> float:
        """Seconds until the time limit."""
        return max(0.0, self.began + self.seconds - monotonic())


@dataclass
class Schedule:
    """Runs steps of many layers on an executor until every layer is done, time is up, or somebody interrupts.

    A layer's steps follow each other; layers run side by side. The layer with the widest gap goes first, where each
    step in a row without a better plan makes the gap count for less. With a deterministic budget the clock decides
    nothing: each layer has its own fixed number of steps, which depend on nothing but the layer.
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
        self._turns = [_Turn(record) for record in self.records]
        self._running: dict[Future[Findings], _Turn] = {}
        try:
            self._first_steps()
            while not self._stopping() and self._hand_out():
                self._collect(timeout=0.1)
            if not self.interrupt.is_set():
                # Solvers have reached their limits, and hand over their last words.
                wait(self._running, timeout=GRACE_SECONDS)
        finally:
            POOL.end(self.call)
        self._collect_the_rest()
        return {turn.record.layer_id: self._why(turn) for turn in self._turns}

    def _first_steps(self) -> None:
        """Bound and greedy plan of every layer: never skipped, so that there is always a plan and a bound."""
        for turn in self._turns:
            self._submit(turn, (start, (turn.record.instance, self.method != "greedy")))
        while self._running:
            self._collect(timeout=None)
        for turn in self._turns:
            turn.exhausted = self.method == "greedy"
            turn.done = turn.exhausted or turn.record.gap <= self.budget.target_gap

    def _hand_out(self) -> bool:
        """Give every free worker a step; whether there is anything left to wait for."""
        busy = {id(turn) for turn in self._running.values()}
        ready = [turn for turn in self._turns if not turn.done and id(turn) not in busy]
        ready.sort(key=lambda turn: (turn.programs, -turn.record.gap / (1 + turn.fruitless)))
        for turn in ready:
            if len(self._running) >= self.budget.workers:
                break
            step = self._next_step(turn)
            if step is None:
                turn.done = True
            else:
                self._submit(turn, step)
        return bool(self._running) or any(not turn.done for turn in self._turns)

    def _next_step(self, turn: _Turn) -> Step | None:
        """What to do next for a layer; ``None`` where the method has nothing more."""
        if self.method in PROGRAM_METHODS:
            return self._program(turn, self.method) if not turn.programs else None
        if self.method == "auto" and turn.steps and not turn.solvers_failed and folding_applies(turn.record.instance):
            again = turn.programs and self.budget.deterministic
            return None if again else self._program(turn, PAIRING)
        stalled = turn.fruitless >= _PATIENCE or self._out_of_steps(turn)
        if self.method == "auto" and not turn.programs and stalled and self._is_worth_a_program(turn.record):
            return self._program(turn, "cpsat")
        if self._out_of_steps(turn):
            return None
        record, turn.steps = turn.record, turn.steps + 1
        seed = self.budget.seed + 0x9E3779B1 * turn.steps
        # Any max load up to this one meets the target gap.
        enough = record.proof.bound / (1 - self.budget.target_gap)
        return search_on, (record.instance, record.slots, enough, seed)

    def _program(self, turn: _Turn, method: str) -> Step:
        record, budget = turn.record, self.budget
        running = {id(other) for other in self._running.values()}
        waiting = sum(
            not other.done and other.programs <= turn.programs and id(other) not in running for other in self._turns
        )
        # Running programs are, on average, half done.
        pending = waiting + len(running) / 2
        threads = max(1, budget.workers // (waiting + len(running)))
        turn.programs += 1
        limits = Limits(budget.left * min(1.0, budget.workers / pending), threads, budget.seed % 2**31)
        if budget.deterministic:
            limits = Limits(max(60.0, 100 * budget.seconds), 1, budget.seed % 2**31, work=self._share / 2)
        slots = tuple(record.slots.tolist())
        task = ProgramTask(record.instance, slots, record.proof.bound, method, limits, budget.target_gap, self.call)
        return run_in_worker, (task,)

    @staticmethod
    def _is_worth_a_program(record: LayerRecord) -> bool:
        return num_variables(record.instance, record.objective) <= _WORTHWHILE_VARIABLES

    @property
    def _share(self) -> float:
        """Seconds of a layer's own where work is limited."""
        return self.budget.seconds / len(self._turns)

    def _out_of_steps(self, turn: _Turn) -> bool:
        return self.budget.deterministic and turn.steps * _SECONDS_PER_STEP >= self._share / 2

    def _submit(self, turn: _Turn, step: Step) -> None:
        function, arguments = step
        turn.step_began = monotonic() - self.budget.began
        try:
            future = self.executor.submit(function, *arguments)
        except Exception as error:  # noqa: BLE001 - an executor of the caller's raises what it likes
            self._give_up(turn, error)
        else:
            self._running[future] = turn

    def _collect(self, timeout: float | None) -> None:
        finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in finished:
            self._absorb_result(self._running.pop(future), future)

    def _absorb_result(self, turn: _Turn, future: Future[Findings]) -> None:
        try:
            findings = future.result()
        except Exception as error:  # noqa: BLE001 - an executor of the caller's raises what it likes
            self._give_up(turn, error)
        else:
            self._absorb(turn, findings)

    def _give_up(self, turn: _Turn, error: Exception) -> None:
        """A step that cannot be run ends the work on its layer, and costs nothing of what is known."""
        if not turn.record.has_plan:
            raise error
        turn.record.remark(f"a step failed: {type(error).__name__}: {error}", monotonic() - self.budget.began)
        turn.done = turn.exhausted = True
        self.on_change(turn.record)

    def _collect_the_rest(self) -> None:
        """What the last steps found; they are short, or their workers were ended. A distant executor gets a second."""
        wait(self._running, timeout=1.0)
        for future, turn in self._running.items():
            if future.done() and not future.cancelled():
                self._absorb_result(turn, future)
            future.cancel()

    def _absorb(self, turn: _Turn, findings: Findings) -> None:
        record, before = turn.record, (turn.record.gap if turn.steps else None)
        for item in findings.items:
            seconds = turn.step_began + item.seconds
            if item.slots is not None:
                record.offer_plan(item.slots, item.source, seconds)
            elif item.proof is not None:
                record.offer_proof(item.proof, seconds)
            else:
                record.remark(item.source, seconds)
        record.add_work(findings.step, findings.seconds)
        turn.fruitless = 0 if before is None or record.gap < before else turn.fruitless + 1
        turn.done = record.gap <= self.budget.target_gap
        if findings.complete and not turn.done:
            turn.exhausted = self.method != "auto"
            turn.solvers_failed = True
        self.on_change(record)

    def _stopping(self) -> bool:
        late = not self.budget.deterministic and not self.budget.left
        return late or self.interrupt.is_set()

    def _why(self, turn: _Turn) -> StoppedBy:
        if turn.record.gap <= self.budget.target_gap:
            return "gap"
        if turn.exhausted:
            return "stalled"
        return "interrupt" if self.interrupt.is_set() else "time"
