"""Wide reassignment for several windows: valid plans, never worse, and where few GPUs have nothing better, better."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics import rebuilding, window_covers
from eplb_opt.heuristics.likely_counts import likely_start
from eplb_opt.heuristics.segment import COOLING, Segment, warm
from eplb_opt.heuristics.wide_windows import reassigned_widely, reassigns_widely
from eplb_opt.heuristics.window_search import annealed, reassigned
from eplb_opt.instance import Instance
from eplb_opt.kernels import window_patterns
from eplb_opt.kernels.fullest_patterns import fill
from eplb_opt.kernels.pattern_cover import cover
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.run import parts
from eplb_opt.verify import objective_value, verify
from tests.examples import examples


def layer_of(random, deployment, num_experts, num_windows, skew=1.0, zeros=0):
    own = random.normal(0, skew, num_experts)
    loads = np.rint(1_000 * np.exp(own + random.normal(0, 0.3, (num_windows, num_experts)))).astype(int)
    loads[:, random.permutation(num_experts)[:zeros]] = 0
    return Instance.from_loads(loads, deployment)


def check_plans(shape, num_windows, objective, skew, zeros, seed, seconds):
    """Plans of a layer of a shape (GPUs, slots on each, experts) are valid and never worse, call after call."""
    num_gpus, size, num_experts = shape
    deployment = Deployment(num_gpus, num_gpus * size)
    instance = layer_of(np.random.default_rng(seed), deployment, num_experts, num_windows, skew, zeros)
    windows = Objective(objective).windows(instance)
    row = likely_start(instance, windows, seed)
    for step in range(3):
        found = reassigned_widely(instance, windows, row, seconds, seed + step)
        assert verify(Plan(found[np.newaxis], deployment, num_experts)) == []
        before, after = (objective_value(slots.tolist(), instance, objective) for slots in (row, found))
        assert float(after) <= float(before) * (1 + 1e-9)
        row = found


LAYERS = {
    "num_windows": st.integers(2, 5),
    "objective": st.sampled_from(["mean", "worst"]),
    "skew": st.floats(0, 2),
    "zeros": st.sampled_from([0, 30]),
    "seed": st.integers(0, 2**32 - 1),
}


@examples(40)
@given(shape=st.sampled_from([(20, 4, 70), (16, 4, 50), (17, 5, 60), (16, 4, 64)]), **LAYERS)
def test_plans_are_valid_and_never_worse(**layer):
    check_plans(**layer, seconds=0.005)


@examples(8)
@given(shape=st.sampled_from([(24, 4, 80), (26, 5, 120)]), **LAYERS)
def test_where_covers_are_slow_gpus_are_rebuilt_and_plans_are_valid_too(**layer):
    check_plans(**layer, seconds=0.6)


def annealed_layer(objective="mean"):
    instance = layer_of(np.random.default_rng(1), Deployment(32, 128), 112, 3)
    windows = Objective(objective).windows(instance)
    start = likely_start(instance, windows, 0)
    return (
        instance,
        windows,
        annealed(instance, windows, Segment(start, warm(instance), warm(instance) * COOLING, 300_000, 0))[0],
    )


@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_an_annealed_plan_gets_much_cooler_and_counts_change(objective):
    instance, windows, row = annealed_layer(objective)
    found = reassigned_widely(instance, windows, row, 1.0, 0)
    assert verify(Plan(found[np.newaxis], instance.deployment, instance.num_experts)) == []
    assert windows.value(found, instance) - 1 < 0.8 * (windows.value(row, instance) - 1)
    counts, before = (np.bincount(slots, minlength=instance.num_experts) for slots in (found, row))
    assert counts.tolist() != before.tolist()


def test_the_same_arguments_give_the_same_plan():
    instance, windows, row = annealed_layer()
    plans = [reassigned_widely(instance, windows, row, 0.1, seed).tolist() for seed in (0, 0, 1)]
    assert plans[0] == plans[1] != plans[2]


def test_code_is_compiled_for_one_kind_of_arrays(monkeypatch):
    # What is loaded before a call must be what the call needs: compiling takes seconds of its time limit.
    kinds = set()

    def watched(function, *arguments):
        arrays = [array for array in arguments if isinstance(array, np.ndarray)]
        kinds.add((function, *((array.dtype, array.ndim, array.flags.c_contiguous) for array in arrays)))
        return function(*arguments)

    monkeypatch.setattr(window_patterns, "_join", partial(watched, window_patterns._join))
    for module, name, kernel in (
        (window_covers, "cover", cover),
        (rebuilding, "fill", fill),
        (parts, "cover", cover),
        (parts, "fill", fill),
    ):
        monkeypatch.setattr(module, name, partial(watched, kernel))
    parts.PARTS["wide windows"]()
    assert len(kinds) == 3
    for num_gpus, size in ((16, 4), (17, 5), (40, 4)):
        instance = layer_of(np.random.default_rng(0), Deployment(num_gpus, num_gpus * size), 50, 3)
        windows = Objective("mean").windows(instance)
        reassigned_widely(instance, windows, likely_start(instance, windows, 0), 0.5, 0)
    assert len(kinds) == 3


@pytest.mark.parametrize("level", [1, 7])
def test_plans_at_the_mean_of_all_windows_stay_as_they_are(level):
    deployment = Deployment(16, 64)
    instance = Instance.from_loads(np.full((3, 64), level), deployment)
    windows = Objective("mean").windows(instance)
    row = np.arange(64)
    assert reassigned_widely(instance, windows, row, 0.01, 0).tolist() == row.tolist()


def test_a_window_that_is_balanced_or_hardly_counts_is_no_obstacle():
    random = np.random.default_rng(0)
    loads = np.stack([random.integers(1, 100, 64), np.full(64, 5), random.integers(1, 100, 64)])
    instance = Instance.from_loads(loads, Deployment(16, 64))
    windows = Objective("mean", window_weights=(1, 1, 10**-300)).windows(instance)
    found = reassigned_widely(instance, windows, np.arange(64), 0.2, 0)
    assert sorted(found.tolist()) == list(range(64))
    assert windows.value(found, instance) <= windows.value(np.arange(64), instance)


@pytest.mark.parametrize(
    ("deployment", "num_windows", "applies"),
    [
        (Deployment(16, 64), 3, True),
        (Deployment(16, 64), 6, False),
        (Deployment(15, 60), 3, False),
        (Deployment(32, 64), 3, False),
        (Deployment(20, 60), 3, False),
        (Deployment(16, 96), 3, False),
        (Deployment(16, 64, distinct=False), 3, False),
        (Deployment(16, 64, num_nodes=2, num_groups=4), 3, False),
    ],
)
def test_it_is_for_many_gpus_of_few_slots_that_differ(deployment, num_windows, applies):
    instance = layer_of(np.random.default_rng(0), deployment, 48, num_windows)
    windows = Objective("mean").windows(instance)
    assert reassigns_widely(instance, windows) == applies
    # Either way there is a reassignment.
    random = np.random.default_rng(1)
    row = np.concatenate([random.permutation(48) for _ in range(2)])[: deployment.num_slots]
    if verify(Plan(row[np.newaxis], deployment, 48)) == []:
        assert reassigned(instance, windows, row, 0.1, 0.01, 0).shape == row.shape
