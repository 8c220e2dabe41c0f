"""First calls of the kernels that a call needs, before its clock starts, and that a proof needs, before its own.

Kernels come in parts, so that a call waits for those alone that its layers can need. Where they have to be compiled,
another process compiles some of the parts and stores them (`eplb_opt.run.compiling`). A worker process has those that
prove alone, while the search goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from time import monotonic

import numpy as np

from eplb_opt.bounds import patterns
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.joint_patterns import JointPatterns
from eplb_opt.bounds.pattern_enumeration import few_choices
from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.batch import place_layers
from eplb_opt.heuristics.drawn import attempt
from eplb_opt.heuristics.joint import joint_plan
from eplb_opt.heuristics.moving import annealed, descended
from eplb_opt.heuristics.pipeline import exchanged_groups, greedy
from eplb_opt.heuristics.registry import GIVEN, JOINT, heuristic_of, names
from eplb_opt.heuristics.segment import Segment
from eplb_opt.heuristics.two_slots import anneal_counts
from eplb_opt.instance import Instance
from eplb_opt.kernels.exact_cover import cover, patterns_between
from eplb_opt.kernels.loading import announced, compiling
from eplb_opt.kernels.local_search import descend, new_log, perturb
from eplb_opt.kernels.moving import Cooling
from eplb_opt.kernels.reassignment import reassign
from eplb_opt.kernels.state import State, add_up, state_of
from eplb_opt.kernels.wide_reassignment import WIDE_SIZE
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from eplb_opt.request import DRAWN
from eplb_opt.run.compiling import compiled_beside, end_with_the_parent
from eplb_opt.run.steps import anneal_on, link_on, reassign_on

logger = logging.getLogger(__name__)

# Enough for a first call of everything, and next to nothing for each later one.
_WORK = 10_000
_NODES = Deployment(num_gpus=4, num_slots=8, num_nodes=2, num_groups=4)
_TWO_WINDOWS = ((3, 2, 1, 1), (1, 2, 3, 1))
# A plan for four experts: parts that need one do not need what makes plans.
_SLOTS = np.array([0, 1, 0, 1, 2, 3, 2, 3])


def load_kernels(parts: Collection[str] | None = None) -> float:
    """Compile kernels, or load them where that was done on this machine before; the seconds it took.

    `parts` are keys of `PARTS`; by default all of them.
    """
    begin = monotonic()
    wanted = [part for part in PARTS if parts is None or part in parts]
    ours, others = shared_out(wanted)
    with compiled_beside(others) as wait:
        for part in ours:
            PARTS[part]()
        wait()
        # Stored by now, unless nothing can be.
        for part in others:
            PARTS[part]()
    seconds = monotonic() - begin
    logger.info("kernels loaded in %.1f s", seconds)
    return seconds


def shared_out(parts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Parts for this process, and for the one beside it: those that take longest first, to whichever is done sooner."""
    ours: list[str] = []
    others: list[str] = []
    until, until_there = 0, _SECONDS_TO_START
    for part in sorted(parts, key=lambda part: -SECONDS[part]):
        if until <= until_there:
            ours.append(part)
            until += SECONDS[part]
        else:
            others.append(part)
            until_there += SECONDS[part]
    return ours, others


def parts_for(deployment: Deployment, num_experts: int, several_windows: bool, method: str) -> list[str]:
    """The parts that a call needs for layers of `num_experts`, whatever their loads, but for those of `proof_parts`."""
    parts = {"bounds", "greedy"}
    if method == GIVEN:
        return [part for part in PARTS if part in parts]
    if not deployment.alike:
        parts |= {"dispatched"} if method in ("auto", "search") else set()
        return [part for part in PARTS if part in parts]
    # What finds good plans for the even split does so for the optimal one.
    if deployment.dispatch not in ("even", "optimal") and method != "greedy" and method not in names():
        parts |= {"dispatched", "singles of windows", "joint"} if several_windows else {"dispatched", "singles"}
        if deployment.dispatch == DRAWN:
            parts |= {"draws of windows" if several_windows else "draws"}
        return [part for part in PARTS if part in parts]
    size = deployment.slots_per_gpu
    if method != "greedy":
        parts |= {"search", "registry"}
    if method != "greedy" and method not in names():
        if size == 2:
            parts |= {"pairs"}
        parts |= {"wide reassignment"} if size == WIDE_SIZE else {"reassignment"}
        if several_windows:
            parts |= {"windows"}
    if several_windows or method == JOINT:
        parts |= {"joint"}
    elif deployment.dispatch == "optimal":
        parts |= {"links"}
    return [part for part in PARTS if part in parts]


def proof_parts(deployment: Deployment, num_experts: int) -> list[str]:
    """The parts that only the worker processes need which prove layers of `num_experts`."""
    # A node has the experts of its groups alone.
    few = few_choices(num_experts // deployment.binding_nodes, deployment.slots_per_gpu)
    return ["patterns", "enumeration"] if few else ["patterns"]


def seconds_of_loading(parts: Collection[str]) -> float:
    """Load what a call runs, or compile it and say so; the seconds that took if anything was compiled, else 0."""
    with announced() as compiling_:
        seconds = load_kernels(parts)
    return seconds if compiling_.kernels else 0.0


@cache
def load_part(part: str) -> None:
    """Compile a part, or load it, once in this process."""
    PARTS[part]()


def compile_parts(parts: Sequence[str]) -> None:
    """What a process does that `compiled_beside` started: compile and store; it ends early where nothing is stored."""
    end_with_the_parent()
    with compiling(lambda _how_often: None) as block:
        for part in parts:
            if block.stored:
                PARTS[part]()


def _load_search() -> None:
    state, random = _hot_state(4), np.random.default_rng(0)
    log, work = new_log(2), np.array([_WORK])
    descend(state, log, 0, work)
    perturb(state, log, 0.0, 1, 0, work, random)
    add_up(state)


def _load_reassignment() -> None:
    reassign(_hot_state(WIDE_SIZE + 1), 0.0, np.array([_WORK]), np.random.default_rng(0))


def _load_wide_reassignment() -> None:
    # Its kernels are called by those of the other, so that types are inferred once.
    _load_enumeration()
    reassign(_hot_state(WIDE_SIZE), 0.0, np.array([_WORK]), np.random.default_rng(0))


def _load_enumeration() -> None:
    loads, experts, ones = np.array([2.0, 1.0]), np.arange(2), np.ones(2, dtype=np.int64)
    rows = np.empty((4, 1), dtype=np.int64)
    patterns_between(loads, experts, ones, 1, 0.0, 3.0, True, rows)
    cover(loads, experts, ones, np.arange(2).reshape(2, 1), 3.0, np.empty(2, dtype=np.int64), np.array([9]))


def _load_pairs() -> None:
    anneal_counts(np.array([3.0, 2.0, 1.0]), np.array([2, 1, 1]), 2, 1, np.random.default_rng(0))


def _load_bounds() -> None:
    instant_bound(Instance.from_loads([3, 2, 1, 1], _NODES), Objective())


def _load_greedy() -> None:
    instance = Instance.from_loads([3, 2, 1, 1], _NODES)
    greedy(instance)
    exchanged_groups(instance)


def _load_registry() -> None:
    loads = Instance.from_loads([3, 2, 1, 1], _NODES).kernel_loads[np.newaxis]
    place_layers(heuristic_of("lpt"), loads, _NODES)


def _load_joint() -> None:
    joint_plan(_two_windows(), Objective("mean"))


def _load_windows() -> None:
    instance, objective = _two_windows(), Objective("mean")
    segment = Segment(_SLOTS, hot=1.0, cold=0.1, proposals=100, seed=0)
    anneal_on(instance, objective.windows(instance), segment)
    reassign_on(instance, objective.windows(instance), segment.slots, 0.1, 100, 0)


def _load_dispatched() -> None:
    instance = Instance.from_loads([3, 2, 1, 1], replace(_NODES, dispatch="nearest"))
    objective = Objective()
    anneal_on(instance, objective.windows(instance), Segment(_SLOTS, 1.0, 0.1, proposals=100, seed=0))


def _load_singles(*windows: Sequence[int]) -> None:
    instance = Instance.from_loads(windows, replace(_NODES, dispatch="nearest"))
    reassign_on(instance, Objective("mean").windows(instance), _SLOTS, 0.1, 1, 0)


def _load_draws(*windows: Sequence[int]) -> None:
    instance = Instance.from_loads(windows, replace(_NODES, dispatch="sglang-static"), (0,) * _NODES.num_gpus)
    attempt(instance, Objective("mean").windows(instance), greedy(instance.total()), 0, 0)


def _load_links() -> None:
    instance = Instance.from_loads([3, 2, 1, 1, 1, 1], Deployment(num_gpus=4, num_slots=8, dispatch="optimal"))
    link_on(instance, greedy(instance), Fraction(0), 0)


def _load_moving() -> None:
    cooling = Cooling((0.1, 0.01), (0.1, 0.01), proposals=100)
    annealed(Instance.from_loads([3, 2, 1, 1], _NODES), (_SLOTS, _SLOTS), np.ones(1), _SLOTS.size, cooling, 0)


def _load_few_moves() -> None:
    list(descended(Instance.from_loads([3, 2, 1, 1], _NODES), (_SLOTS, _SLOTS), np.ones(1), _SLOTS.size, 1))


def _load_joint_patterns() -> None:
    instance = _two_windows()
    items = WindowItems.within(instance, instance.mean_loads, _WORK)
    if items is not None:
        room = Region.above(instance.mean_loads, None, max(instance.mean_loads), 4).room
        meter = Meter(Limits(60.0))
        JointPatterns(items, room, 2, True).heavier(items.loads[:, 0], 0.0, np.random.default_rng(0), 1, meter)


def _two_windows() -> Instance:
    return Instance.from_loads(_TWO_WINDOWS, _NODES)


def _hot_state(slots_per_gpu: int) -> State:
    """Two GPUs, of which the first one is hotter."""
    slots = np.arange(2 * slots_per_gpu).reshape(2, -1)
    return state_of(np.arange(2.0 * slots_per_gpu, 0.0, -1.0), slots, 1, True)


PARTS: dict[str, Callable[[], object]] = {
    "enumeration": _load_enumeration,
    "registry": _load_registry,
    "greedy": _load_greedy,
    "search": _load_search,
    "reassignment": _load_reassignment,
    "wide reassignment": _load_wide_reassignment,
    "pairs": _load_pairs,
    "joint": _load_joint,
    "windows": _load_windows,
    "links": _load_links,
    "bounds": _load_bounds,
    "dispatched": _load_dispatched,
    "singles": partial(_load_singles, *_TWO_WINDOWS[:1]),
    "singles of windows": partial(_load_singles, *_TWO_WINDOWS),
    "draws": partial(_load_draws, *_TWO_WINDOWS[:1]),
    "draws of windows": partial(_load_draws, *_TWO_WINDOWS),
    "moving": _load_moving,
    "few moves": _load_few_moves,
    "patterns": patterns.load_kernels,
    "joint patterns": _load_joint_patterns,
}
# Seconds that a part takes to compile where those that calls need with it are compiled before.
SECONDS = {
    "windows": 6,
    "wide reassignment": 5,
    "singles of windows": 5,
    "moving": 5,
    "registry": 4,
    "links": 4,
    "dispatched": 3,
    "search": 3,
    "joint": 2,
    "few moves": 2,
    "singles": 2,
    "reassignment": 2,
    "enumeration": 2,
    "draws of windows": 2,
    "greedy": 2,
    "draws": 2,
    "pairs": 1,
    "bounds": 1,
    "patterns": 1,
    "joint patterns": 3,
}
# What a worker process needs for a proof of several windows at once, and for plans with the counts that it finds.
PARTS_OF_WINDOWS = ("bounds", "patterns", "joint", "windows", "joint patterns")
# And what the process beside this one takes to begin.
_SECONDS_TO_START = 1
