"""The verdict of solve: what the plan gains, what is left to gain, what the policy costs, and which window decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from time import monotonic

from eplb_opt.deciding import hottest_windows, token_shares
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.gain import Gain, gain_of
from eplb_opt.held_out import HeldOut
from eplb_opt.io.recognition import ENGINES
from eplb_opt.loads import Loads
from eplb_opt.moves import moves_between
from eplb_opt.plan import Plan
from eplb_opt.report.verdict import NOTHING, bound_sentence, measure_words
from eplb_opt.report.words import percent, plural, value_and_bound
from eplb_opt.solution import Solution
from eplb_opt.solution import percent as gap_percent
from eplb_opt.step import Step
from eplb_opt.step_times import StepTimes

# What the greedy policy is called, as engines have it and where GPUs have different numbers of slots.
_EPLB, _FOR_THESE_GPUS = "DeepSeek's EPLB", "greedy, for these GPUs"
# Of the mean load; below that nobody changes a deployment for the policy.
_NOTABLE_PRICE = 0.005
_NOTABLE_SECONDS = 1.0
# A window with this part of all tokens has twice as many as all the others together.
_OUTWEIGHS = 2 / 3


@dataclass(frozen=True)
class Verdict:
    """What a solution of `loads` is judged by.

    Attributes
    ----------
    old_plan, old_name
        The plan that runs now and its file; ``None``: experts in order.
    engine
        Whose policy the greedy one is called after.
    files
        The recordings.
    step
        What turns tokens into milliseconds; ``None``: nothing does.
    survive
        Losses of a GPU, or node, that the plan was asked to survive.
    """

    solution: Solution
    loads: Loads
    files: list[Path]
    engine: str
    old_plan: Plan | None = None
    old_name: Path | None = None
    step: Step | None = None
    survive: int = 0

    def lines(self) -> Iterator[str]:
        """The table and the sentences, line by line."""
        if not self.loads.loaded.any():
            yield NOTHING
            return
        began = monotonic()
        gain = gain_of(self.solution, self.loads, self.old_plan)
        seconds = monotonic() - began
        plan, bound = value_and_bound(gain.plan, gain.bound)
        yield measure_words(self.loads, self.solution.objective, self.solution.plan.deployment)
        rows = (
            (f"now: {self.old_name or 'experts in order'}", percent(gain.now)),
            (self._policy_words(), percent(gain.greedy)),
            ("this plan", plan),
            ("proven bound", bound),
        )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield from (f"  {name:<{widths[0]}}  {value:>{widths[1]}}" for name, value in rows)
        gap = self.solution.gap
        yield bound_sentence(f"at most {gap_percent(gap)}" if gap else "", bound, self.solution.layers)
        yield from self._survival_words()
        yield from self._price_words(gain, bound)
        yield from self._move_words()
        if self.step is not None:
            greedy = _EPLB if self.solution.plan.deployment.gpu_slots is None else _FOR_THESE_GPUS
            yield from step_words(StepTimes.of(self.solution, self.loads, self.step, self.old_plan), self.step, greedy)
        yield from self._window_words()
        if seconds > _NOTABLE_SECONDS:
            yield f"What it is compared with took {seconds:.1f} s, which is not in the time limit."

    def _policy_words(self) -> str:
        engine = ENGINES[self.engine]
        if self.solution.plan.deployment.gpu_slots is not None:
            return _FOR_THESE_GPUS
        return f"policy of {engine.title}, DeepSeek's EPLB" if engine.ships_eplb else "DeepSeek's EPLB, greedy"

    def _survival_words(self) -> Iterator[str]:
        """What a plan survives that was asked to, and which plans the bound is on then."""
        if not self.survive:
            return
        where = "nodes" if self._apart else "GPUs"
        yield (
            f"Every expert is on two {where} at least: the loss of one loses none. The bound is on all plans, also "
            "those that lose experts."
        )

    @property
    def _apart(self) -> bool:
        """Whether it is nodes that the experts are on two of."""
        deployment = self.solution.plan.deployment
        return self.survive > 0 and deployment.num_nodes > 1 and not deployment.hierarchical

    def _price_words(self, gain: Gain, bound: str) -> Iterator[str]:
        """What binding groups to nodes costs, where that is notable."""
        if gain.unbound is None or gain.price <= _NOTABLE_PRICE:
            return
        yield (
            f"Groups are bound to nodes (policy {self.solution.plan.deployment.policy}): no plan is below "
            f"{bound}. Without that rule DeepSeek's EPLB alone reaches {percent(gain.unbound)}, "
            "with experts of a group on several nodes: --policy global."
        )

    def _move_words(self) -> Iterator[str]:
        """What has to be copied where a plan runs; the solution has been renumbered for that."""
        if self.old_plan is None:
            return
        plan = self.solution.plan
        moves, slots = len(moves_between(self.old_plan, plan)), plan.physical_to_logical.size
        dispatch = plan.deployment.dispatch
        alike: str = rule_of(plan.deployment).alike(plan.deployment)
        if self._apart and alike == "gpus":
            alike = "apart"
        if not plan.deployment.alike:
            alike = "kinds" if alike == "gpus" else "slots"
        order = {
            "kinds": "GPUs with the same slots and speed are numbered so that these are the fewest",
            "gpus": "GPUs are numbered so that these are the fewest",
            "apart": "nodes are numbered so that these are the fewest; GPUs keep their order within",
            "nodes": f"nodes are numbered so that these are the fewest; dispatch {dispatch} goes by the order within",
            "slots": f"GPUs keep their numbers, as dispatch {dispatch} goes by them",
        }[alike]
        yield f"From {self.old_name} {moves:,} of {plural(slots, 'replica')} move ({percent(moves / slots)}): {order}."

    def _window_words(self) -> Iterator[str]:
        """Where one window decides."""
        number, objective = self.loads.num_windows, self.solution.objective
        if number == 1:
            yield "One recording: a plan scores less on the next one. Several files make a plan that holds better."
        elif objective == "worst":
            hottest = hottest_windows(self.solution.plan, self.loads)
            window, layers = hottest.most_common(1)[0]
            yield (
                f"In each layer the worst window alone decides: in {layers} of {plural(hottest.total(), 'layer')} that "
                f"is {self._name(window)}."
            )
        elif objective == "total":
            shares = token_shares(self.loads)
            window = max(range(number), key=shares.__getitem__)
            if shares[window] > _OUTWEIGHS:
                yield (
                    f"Of all tokens {percent(shares[window])} are of {self._name(window)}, which decides: --objective "
                    "mean counts windows alike."
                )

    def _name(self, window: int) -> str:
        """A window in words: its file where each file is one."""
        return f"window {window}" + (f" ({self.files[window]})" if len(self.files) == self.loads.num_windows else "")


def step_words(times: StepTimes, step: Step, greedy: str) -> Iterator[str]:
    """What plans mean for the time of a step; `greedy` is what the published policy is called."""
    if isnan(times.plan):
        yield "This dispatch leaves open which replicas are active: a step's milliseconds are not known."
        return
    yield (
        f"Experts of a step, {step.tokens_per_gpu:,g} tokens on each GPU ({step.time_model.source}): now "
        f"{times.now:.2f} ms, {greedy} {times.greedy:.2f} ms, this plan {times.plan:.2f} ms; no plan takes less "
        f"than {times.least:.2f} ms. Attention and communication are outside."
    )
    saved = step.part_of_step(times.now, times.plan)
    if saved is not None:
        share = percent(step.time_model.share_of_step or 0)
        yield f"Experts are {share} of a step as it is now: the new step takes {_change(saved)} time."


def _change(saved: float) -> str:
    return f"{percent(saved)} less" if saved >= 0 else f"{percent(-saved)} more"


def held_out_words(found: HeldOut, loads: Loads) -> str:
    """What plans are worth on a window that they were not made for."""
    if isnan(found.planned.imbalance):
        return "Held out: nothing was scored."
    planned, greedy = found.planned, found.greedy
    return (
        f"Held out: with a plan for the other windows the hottest GPU is {percent(planned.imbalance - 1)} above the "
        f"mean, with DeepSeek's EPLB for them {percent(greedy.imbalance - 1)}; balancedness (mean / max load) "
        f"{planned.balancedness:.4f} and {greedy.balancedness:.4f} (mean over layers and {found.windows} of "
        f"{plural(loads.num_windows, 'window')}, {found.seconds:.1f} s)."
    )
