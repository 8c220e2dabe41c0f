"""Parts of the kernels: first calls that compile them or load them, by what a call can need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from eplb_opt.bounds import patterns
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.joint_patterns import JointPatterns
from eplb_opt.bounds.regions import Region
from eplb_opt.bounds.window_items import WindowItems
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.batch import place_layers
from eplb_opt.heuristics.count_search import CountSearch
from eplb_opt.heuristics.drawn import attempt
from eplb_opt.heuristics.joint import joint_plan
from eplb_opt.heuristics.moving import annealed, descended
from eplb_opt.heuristics.pipeline import exchanged_groups, greedy
from eplb_opt.heuristics.registry import heuristic_of
from eplb_opt.heuristics.segment import Segment
from eplb_opt.heuristics.two_slots import anneal_counts
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.filling_search import search_fillings
from eplb_opt.kernels.fullest_patterns import fill
from eplb_opt.kernels.levelling import Aim, level
from eplb_opt.kernels.local_search import descend, new_log, perturb
from eplb_opt.kernels.moving import Cooling
from eplb_opt.kernels.pattern_cover import cover
from eplb_opt.kernels.pattern_list import patterns_between
from eplb_opt.kernels.reassignment import reassign
from eplb_opt.kernels.state import State, add_up, state_of
from eplb_opt.kernels.wide_reassignment import WIDE_SIZE
from eplb_opt.kernels.window_patterns import window_patterns
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from eplb_opt.run.steps import anneal_on, link_on, reassign_on

# Enough for a first call of everything, and next to nothing for each later one: steps, and seconds of work.
_WORK, _SECONDS = 10_000, 1e-6
_NODES = Deployment(num_gpus=4, num_slots=8, num_nodes=2, num_groups=4)
_TWO_WINDOWS = ((3, 2, 1, 1), (1, 2, 3, 1))
# A plan for four experts: parts that need one do not need what makes plans.
_SLOTS = np.array([0, 1, 0, 1, 2, 3, 2, 3])


def _load_search() -> None:
    state, random = _hot_state(4), np.random.default_rng(0)
    log, work = new_log(2), np.array([_WORK])
    descend(state, log, 0, work)
    perturb(state, log, 0.0, 1, 0, work, random)
    add_up(state)


def _load_levelling() -> None:
    state = _hot_state(4)
    level(state, Aim(0.0, 1.0, 1.0), 1, state.slots.copy(), np.random.default_rng(0))


def _load_reassignment() -> None:
    reassign(_hot_state(WIDE_SIZE + 1), 0.0, np.array([_WORK]), np.random.default_rng(0))


def _load_wide_reassignment() -> None:
    # Its kernels are called by those of the other, so that types are inferred once.
    _load_fillings()
    reassign(_hot_state(WIDE_SIZE), 0.0, np.array([_WORK]), np.random.default_rng(0))


def _load_fillings() -> None:
    loads, experts, ones = np.array([2.0, 1.0]), np.arange(2), np.ones(2, dtype=np.int64)
    rows, chosen = np.empty((4, 1), dtype=np.int64), np.empty(2, dtype=np.int64)
    found = patterns_between(loads, experts, ones, 1, 0.0, 3.0, True, rows)
    search_fillings(loads, experts, ones, rows[:found], 3.0, chosen, np.array([99]))


def _load_pairs() -> None:
    anneal_counts(np.array([3.0, 2.0, 1.0]), np.array([2, 1, 1]), 2, 1, np.random.default_rng(0))


def _load_pair_counts() -> None:
    incumbent = Incumbent(Instance.from_loads([3, 2, 1, 1], Deployment(num_gpus=4, num_slots=8)))
    incumbent.offer_plan(_SLOTS, "any")
    CountSearch(incumbent, 0).run(Meter(Limits(60.0, work=1e-9)))


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
    reassign_on(instance, objective.windows(instance), segment.slots, 0.1, _SECONDS, 0)


def _load_wide_windows() -> None:
    # Two GPUs, of which one is hot in the first window and one in the second.
    loads, experts = np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0], [1.0, 1.0]]), np.arange(4)
    room = np.array([1.0, 1.0]), np.array([4.0, 4.0])
    patterns = window_patterns(loads, experts, 2, *room, limit=6)
    order, gpus = np.arange(4), np.zeros((2, 2), dtype=np.int64)
    looks = np.zeros(1, dtype=np.int64)
    fill(order, order, loads, experts, room[1], 1, gpus.copy(), 0, gpus, 2 * room[1], looks)
    if patterns is not None:
        cover(patterns, np.zeros(patterns.shape), 4, room[0], np.empty(2, dtype=np.int64), np.array([99]))


def _load_dispatched() -> None:
    instance = Instance.from_loads([3, 2, 1, 1], replace(_NODES, dispatch="nearest"))
    objective = Objective()
    anneal_on(instance, objective.windows(instance), Segment(_SLOTS, 1.0, 0.1, proposals=100, seed=0))


def _load_singles(*windows: Sequence[int]) -> None:
    instance = Instance.from_loads(windows, replace(_NODES, dispatch="nearest"))
    reassign_on(instance, Objective("mean").windows(instance), _SLOTS, 0.1, _SECONDS, 0)


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
        room = Region.above(instance.mean_loads, None, max(instance.mean_loads), Fraction(4)).room
        meter = Meter(Limits(60.0))
        JointPatterns(items, room, 2, True).heavier(items.loads[:, 0], 0.0, np.random.default_rng(0), 1, meter)


def _two_windows() -> Instance:
    return Instance.from_loads(_TWO_WINDOWS, _NODES)


def _hot_state(slots_per_gpu: int) -> State:
    """Two GPUs, of which the first one is hotter."""
    slots = np.arange(2 * slots_per_gpu).reshape(2, -1)
    return state_of(np.arange(2.0 * slots_per_gpu, 0.0, -1.0), slots, 1, True)


PARTS: dict[str, Callable[[], object]] = {
    "fillings": _load_fillings,
    "registry": _load_registry,
    "greedy": _load_greedy,
    "search": _load_search,
    "levelling": _load_levelling,
    "reassignment": _load_reassignment,
    "wide reassignment": _load_wide_reassignment,
    "pairs": _load_pairs,
    "pair counts": _load_pair_counts,
    "joint": _load_joint,
    "windows": _load_windows,
    "wide windows": _load_wide_windows,
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
    "wide windows": 3,
    "wide reassignment": 6,
    "singles of windows": 5,
    "moving": 5,
    "registry": 4,
    "links": 4,
    "dispatched": 3,
    "search": 3,
    "levelling": 3,
    "pair counts": 2,
    "joint": 2,
    "few moves": 2,
    "singles": 2,
    "reassignment": 2,
    "fillings": 3,
    "draws of windows": 2,
    "greedy": 2,
    "draws": 2,
    "pairs": 1,
    "bounds": 1,
    "patterns": 1,
    "joint patterns": 3,
}
# What a worker process needs for a proof of several windows at once, and for plans with the counts that it finds.
PARTS_OF_WINDOWS = ("bounds", "patterns", "joint", "windows", "wide windows", "joint patterns")
