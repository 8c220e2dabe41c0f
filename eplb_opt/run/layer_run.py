"""LayerRun: one layer while a call runs, and what the caller is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.layer_solution import LayerSolution, StoppedBy
from eplb_opt.limits import CallLimits
from eplb_opt.objective import Objective
from eplb_opt.run.step import START, StepResult
from eplb_opt.run.strategy import Strategy, ends_with_first_plans
from eplb_opt.verify import max_loads


@dataclass
class LayerRun:
    """One layer of a call.

    Attributes
    ----------
    layer_id
        Decoder layer.
    recorded
        All of its windows, as they were recorded.
    asked
        The objective of the call, which may have another unit than that of the search.
    incumbent
        The best plan and bound, in the unit of the search.
    strategy
        What it does next.
    seconds
        Of work, by the name of the step.
    started, done
        Whether the first step was taken, and whether there is nothing more to do.
    """

    layer_id: int
    recorded: Instance
    asked: Objective
    incumbent: Incumbent
    strategy: Strategy
    seconds: dict[str, float] = field(default_factory=dict)
    started: bool = False
    done: bool = False

    @classmethod
    def of(
        cls, layer_id: int, recorded: Instance, asked: Objective, method: str, limits: CallLimits, share: float
    ) -> LayerRun:
        """A layer that nothing is known of; `share` is its part of the time limit."""
        incumbent = Incumbent(*asked.on(recorded), target_gap=limits.target_gap, name=f"layer {layer_id}")
        return cls(layer_id, recorded, asked, incumbent, Strategy.of(incumbent, method, limits, share))

    def absorb(self, kind: str, result: StepResult, began: float) -> None:
        """Take in what a step of this kind found that began so many seconds after the call did."""
        better = False
        for found in result.improvements:
            better |= self.incumbent.offer(replace(found, seconds=began + found.seconds))
        self.seconds[result.name] = self.seconds.get(result.name, 0.0) + result.seconds
        self.started |= kind == START
        self.strategy.learn(kind, result, better)
        self.done = self.incumbent.closed

    def end_start(self) -> None:
        """All layers have their first plans: some methods end here."""
        self.strategy.exhausted = ends_with_first_plans(self.strategy.method)
        self.done = self.strategy.exhausted or self.incumbent.closed

    def give_up(self, words: str, seconds: float) -> None:
        """A step cannot be run: nothing more is done, and nothing that is known is lost."""
        self.incumbent.remark(words, seconds)
        self.done = self.strategy.exhausted = True

    def why_stopped(self, interrupted: bool) -> StoppedBy:
        """What ended the work on it."""
        if self.incumbent.closed:
            return "gap"
        if interrupted:
            return "interrupt"
        return "stalled" if self.strategy.exhausted else "time"

    def in_asked(self, value: Fraction) -> Fraction:
        """A value or bound in the unit that was asked for: max loads of one window become imbalances if it is one."""
        if self.asked.kind in ("total", self.incumbent.objective.kind):
            return value
        (mean,) = self.incumbent.instance.mean_loads
        return value / mean if mean else Fraction(1)

    def to_solution(self, interrupted: bool) -> LayerSolution:
        """What is known now."""
        known = self.incumbent
        total = self.recorded.total()
        return LayerSolution(
            layer_id=self.layer_id,
            objective=self.in_asked(known.value),
            max_load=max_loads(known.slots.tolist(), total)[0],
            mean_load=total.mean_loads[0],
            proof=replace(known.proof, bound=self.in_asked(known.bound)),
            stopped_by=None if known.value == known.bound else self.why_stopped(interrupted),
            trace=tuple(
                replace(
                    point,
                    objective=self.in_asked(point.objective),
                    lower_bound=self.in_asked(point.lower_bound),
                )
                for point in known.trace
            ),
            work=dict(self.seconds),
        )
