"""Pattern enumeration: every way to fill a GPU within a max load is listed, and every way to combine them tried."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import comb, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.filling_weights import filling_weights
from eplb_opt.bounds.quick import replica_range
from eplb_opt.certificates.error import CertificateError
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.filling_search import ROUNDING, search_fillings
from eplb_opt.kernels.pattern_list import patterns_between
from eplb_opt.limits import Meter
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof

Slots = NDArray[np.int64]

# More patterns, or choices of all but one item of a pattern, take longer than they are worth. The checker lists halves
# of patterns, and no more of them than this.
_MOST_PATTERNS, _MOST_CHOICES, _MOST_HALVES = 60_000, 20_000_000, 6_000_000
# Patterns and items that a search looks at: the checker looks at them again, which takes seconds.
_MOST_LOOKS = 70_000_000
# The part of them that is tried before weights are.
_SOON = 8
# Seconds for a look of the search, for each slot of a GPU, and for a look of the checker. A search counts for a quarter
# of what it takes: nodes with few experts get a tenth of a second, and it closes them in a few attempts.
_PER_LOOK, _PER_CHECKED = 7.5e-10, 1e-7
# Seconds for a half and a pattern that the checker lists, and for a pattern of the linear program.
_PER_HALF, _PER_LISTED, _PER_WEIGHED = 1e-7, 2e-6, 7e-6
# Max loads nearer than this part are not told apart: floats have to leave room.
_RESOLUTION = Fraction(1, 10**8)
# Part of the limits for one attempt, and what an attempt counts for at least, in seconds of work.
_PART, _LEAST_WORK = 0.4, 0.005
# How far above the bound max loads are tried, as a part of the gap: at first, at most before all of it, and at least.
_FIRST_STEP, _MOST_STEP, _LEAST_STEP = Fraction(1, 32), Fraction(1, 2), Fraction(1, 1000)


def few_choices(items: int, slots_per_gpu: int) -> bool:
    """Whether so many items, of which there is one for each expert at least, leave few enough patterns to look for."""
    return comb(items + slots_per_gpu, slots_per_gpu - 1) <= _MOST_CHOICES


@dataclass(frozen=True)
class PatternEnumeration:
    """Patterns of GPUs with which a plan within a max load can be made up.

    Attributes
    ----------
    instance
        A layer of one window under the global policy.
    most
        The max load, in the unit of `Instance.kernel_loads`.
    experts, replicas, loads
        Items, of decreasing load: an expert with a number of replicas that the max load allows, and its load then.
    patterns
        Rows of items, all whose loads sum to at most `most`, and to enough for the other GPUs to carry the rest.
    """

    instance: Instance
    most: float
    experts: NDArray[np.int64]
    replicas: NDArray[np.int64]
    loads: NDArray[np.float64]
    patterns: NDArray[np.int64]

    @classmethod
    def within(cls, instance: Instance, max_load: Fraction) -> PatternEnumeration | None:
        """All patterns for plans within `max_load`; ``None`` where they are too many.

        Sums of floats are given some room, so that no pattern is left out.
        """
        deployment = instance.deployment
        least, most = replica_range(instance, max_load)
        experts = np.repeat(np.arange(least.size), most - least + 1)
        replicas = np.concatenate([np.arange(a, b + 1) for a, b in zip(least, most, strict=True)] or [experts])
        size = deployment.slots_per_gpu
        if not few_choices(experts.size, size):
            return None
        loads = instance.kernel_loads[experts] / replicas
        order = np.argsort(-loads, kind="stable")
        experts, replicas, loads = experts[order], replicas[order], loads[order]
        highest = instance.kernel_value(max_load) * (1 + ROUNDING)
        lowest = instance.kernel_loads.sum() - (deployment.num_gpus - 1) * highest - ROUNDING * highest
        patterns = np.empty((_MOST_PATTERNS, size), dtype=np.int64)
        listed = patterns_between(loads, experts, replicas, size, lowest, highest, deployment.distinct, patterns)
        return cls(instance, highest, experts, replicas, loads, patterns[:listed].copy()) if listed >= 0 else None

    @property
    def seconds_to_list(self) -> float:
        """Roughly what the checker takes to list them; infinite where it would not."""
        halves = comb(self.experts.size + self.patterns.shape[1], -(-self.patterns.shape[1] // 2))
        return _PER_HALF * halves + _PER_LISTED * len(self.patterns) if halves <= _MOST_HALVES else inf

    def plan(self, looks: int) -> tuple[Slots | None, int]:
        """A plan of these patterns, if a search that looks at so many finds one; and how many looks are left.

        Where some are left and no plan is found, there is none.
        """
        if np.unique(self.experts).size < self.instance.num_experts or not len(self.patterns):
            return None, looks
        left = np.array([looks])
        chosen = np.empty(self.instance.deployment.num_gpus, dtype=np.int64)
        found = search_fillings(self.loads, self.experts, self.replicas, self.patterns, self.most, chosen, left)
        return (self.experts[self.patterns[chosen]].ravel() if found else None), int(left[0])


def enumerate_patterns(incumbent: Incumbent, meter: Meter) -> None:
    """Better plans and bounds until the gap is small enough, within the limits, or as long as attempts are of use.

    Asks for plans a little above the bound first, as these have the fewest patterns, and then in steps that get longer
    as long as they are settled, up to all max loads below the best plan. Searches are so short that the checker can
    repeat them; where that is too little, weights of replicas may refute all plans at once. The checker takes ten times
    as long as a search, so the word of the search comes first: the checker sees a refutation once the next attempt has
    failed, if there is time for it.
    """
    step, refuted = _FIRST_STEP, _Refuted.before(incumbent)
    # Where there are no weights there are none for larger max loads.
    without_weights = incumbent.value
    while not (incumbent.closed or meter.exhausted):
        gap = incumbent.value - refuted.bound
        if gap <= _RESOLUTION * incumbent.value:
            break
        max_load = refuted.bound + step * gap if step < 1 else incumbent.value * (1 - _RESOLUTION)
        patterns = PatternEnumeration.within(incumbent.instance, max_load)
        weigh = max_load < without_weights
        answer = _Answer() if patterns is None else _asked(patterns, meter, weigh)
        better = answer.plan is not None and incumbent.offer_plan(answer.plan, "patterns")
        if answer.evidence is not None:
            above = incumbent.instance.next_max_load(max_load)
            if "weights" not in answer.evidence:
                incumbent.prove("fillings", above, by="search")
            refuted = _Refuted(above if step < 1 else incumbent.value, answer.evidence, answer.seconds)
        elif not better:
            without_weights = without_weights if patterns is None else min(without_weights, max_load)
            refuted = _kept(incumbent, refuted, meter)
        settled = better or answer.evidence is not None
        if not settled and step <= _LEAST_STEP:
            break
        step = _longer(step) if settled else max(_LEAST_STEP, min(step, _MOST_STEP) / 4)
    _kept(incumbent, refuted, meter)


def filling_evidence(instance: Instance, bound: Fraction, meter: Meter) -> Mapping[str, Any] | None:
    """What shows, as `eplb_opt.certificates` reads it, that no plan is below `bound` tokens; ``None``: not found.

    Of a layer of one window without groups on nodes.
    """
    if instance.num_windows > 1 or instance.deployment.binding_nodes > 1 or instance.deployment.slots_per_gpu == 1:
        return None
    patterns = PatternEnumeration.within(instance, bound * (1 - _RESOLUTION))
    if patterns is None or patterns.seconds_to_list == inf:
        return None
    evidence = _asked(patterns, meter, weigh=True).evidence
    if evidence is None:
        return None
    with suppress(CertificateError):
        check_proof(Proof("fillings", bound, checked=True, evidence=evidence), instance, Objective())
        return evidence
    return None


def _longer(step: Fraction) -> Fraction:
    return Fraction(1) if step >= _MOST_STEP else min(_MOST_STEP, 2 * step)


@dataclass(frozen=True)
class _Answer:
    """A plan of some patterns, or evidence that they make up none, and seconds to check it; or neither."""

    plan: Slots | None = None
    evidence: Mapping[str, Any] | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class _Refuted:
    """No plan is below `bound`; `evidence` that the checker has not seen yet, and seconds to check it."""

    bound: Fraction
    evidence: Mapping[str, Any] | None = None
    seconds: float = 0.0

    @classmethod
    def before(cls, incumbent: Incumbent) -> _Refuted:
        """What is known to begin with: of another run there may be the word alone."""
        if incumbent.proof.argument == "fillings" and incumbent.proof.by == "search":
            return cls(incumbent.bound, {"argument": "fillings"}, _MOST_LOOKS * _PER_CHECKED)
        return cls(incumbent.bound)


def _asked(patterns: PatternEnumeration, meter: Meter, weigh: bool) -> _Answer:
    """Whether patterns make up a plan, as far as there is time to find out, by weights too if asked to `weigh`."""
    listed, per_look = patterns.seconds_to_list, _PER_LOOK * patterns.patterns.shape[1]
    most = min(_MOST_LOOKS, max(_PART * _seconds_left(meter), _LEAST_WORK) / per_look)
    # Many a search ends soon, and where it does not there may be weights.
    for part in (_SOON, 1):
        looks = int(min(most / part, max(_seconds_left(meter), _LEAST_WORK) / per_look))
        plan, left = patterns.plan(looks)
        meter.spend((looks - left) * per_look + _LEAST_WORK)
        if plan is not None:
            return _Answer(plan)
        if left > 0:
            return _Answer(evidence={"argument": "fillings"}, seconds=listed + (looks - left) * _PER_CHECKED)
        # A program does not end at once, and weights are worth nothing that the checker has no time for.
        weighed = _PER_WEIGHED * len(patterns.patterns) + listed
        if weigh and part > 1 and weighed <= _PART * _seconds_left(meter):
            weights = filling_weights(patterns.experts, patterns.replicas, patterns.patterns, meter)
            if weights is not None:
                return _Answer(evidence={"argument": "fillings", "weights": weights})
    return _Answer()


def _seconds_left(meter: Meter) -> float:
    limits = meter.left()
    return limits.seconds if limits.work is None else limits.work


def _kept(incumbent: Incumbent, refuted: _Refuted, meter: Meter) -> _Refuted:
    """What is left of a refutation once the checker has seen it, if there is time for that."""
    if refuted.evidence is None:
        return refuted
    if refuted.seconds > max(_seconds_left(meter), _LEAST_WORK):
        return refuted
    meter.spend(refuted.seconds)
    proof = Proof("fillings", refuted.bound, checked=True, evidence=refuted.evidence)
    with suppress(CertificateError):
        check_proof(proof, incumbent.instance, incumbent.objective)
        incumbent.offer_proof(proof)
    return _Refuted(incumbent.bound)
