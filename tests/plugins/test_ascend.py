"""vLLM-Ascend's policy interface: what the engine accepts, what gains, and what stays."""

import inspect
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.errors import EplbOptError, InvalidArgumentError, MissingPackageError
from eplb_opt.heuristics import planner as heuristics
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.plugins import ascend
from eplb_opt.plugins.ascend import EplbOptPolicy, patch
from eplb_opt.plugins.changes import LEAST_GAIN, MOVES
from eplb_opt.plugins.planner import TIME_LIMIT
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.plugins import stand_ins
from tests.strategies import deployments_and_experts, rows_of_slots

FACTORY = "vllm_ascend.eplb.core.policy.policy_factory"


@st.composite
def tables(draw):
    """A valid table of some layers, and loads of its slots."""
    deployment, experts = draw(
        deployments_and_experts(max_experts=8, max_gpus=4, max_slots=12, hierarchical=False, distinct=True)
    )
    layers = draw(st.integers(1, 3))
    instance = Instance.from_loads([1] * experts, deployment)
    rows = np.array([draw(rows_of_slots(instance)) for _ in range(layers)])
    loads = st.lists(st.integers(0, 100), min_size=rows.size, max_size=rows.size)
    shape = (layers, deployment.num_gpus, deployment.slots_per_gpu)
    return rows.reshape(shape), np.array(draw(loads)).reshape(shape)


def folded(table, workload):
    """Load of each expert in each layer."""
    values = np.zeros((len(table), table.max() + 1), dtype=np.int64)
    for place, expert in np.ndenumerate(table):
        values[place[0], expert] += workload[place]
    return values


def exact_max_loads(table, values):
    """Max load of each layer."""
    _, ranks, slots = table.shape
    deployment = eplb_opt.Deployment(ranks, ranks * slots, distinct=False)
    return [
        max_loads(row.ravel().tolist(), Instance.from_loads(layer, deployment))[0]
        for row, layer in zip(table, values, strict=True)
    ]


def large(seed=0, layers=4):
    """A table of 64 experts on 8 NPUs of 9 slots, and skewed loads."""
    random = np.random.default_rng(seed)
    row = np.hstack([np.arange(64).reshape(8, 8), (np.arange(8)[:, np.newaxis] * 8 + 8) % 64])
    return np.tile(row, (layers, 1, 1)), random.lognormal(5, 1, (layers, 8, 9)).astype(np.int64)


def test_the_signature_is_vllm_ascends():
    parameters = inspect.signature(EplbOptPolicy().rebalance_experts).parameters
    assert list(parameters) == ["current_expert_table", "expert_workload"]


@examples(30)
@given(tables())
def test_the_engine_accepts_every_layer_and_none_gets_hotter(drawn):
    table, workload = drawn
    changed, priority, new = EplbOptPolicy().rebalance_experts(torch.from_numpy(table), torch.from_numpy(workload))
    assert new.shape == table.shape and new.dtype == np.int64
    assert stand_ins.refused_by_ascend(table, new) == []
    values = folded(table, workload)
    ranks = table.shape[1]
    plan = Plan(new.reshape(len(new), -1), eplb_opt.Deployment(ranks, table[0].size), values.shape[1])
    assert eplb_opt.verify(plan) == []
    before, after = exact_max_loads(table, values), exact_max_loads(new, values)
    for layer, (was, now) in enumerate(zip(before, after, strict=True)):
        # A percent, as floats have it.
        assert now < was * Fraction(990001, 1000000) or np.array_equal(new[layer], table[layer])
    assert changed == (not np.array_equal(new, table))
    ratios = [float(after[layer] / before[layer]) if before[layer] else 1.0 for layer in priority]
    assert sorted(priority) == list(range(len(table))) and ratios == sorted(ratios)


def test_skewed_loads_are_balanced():
    table, workload = large()
    changed, _, new = EplbOptPolicy().rebalance_experts(table, workload)
    after = exact_max_loads(new, folded(table, workload))
    mean = workload.sum(axis=(1, 2)) / 8
    assert changed == 1 and (np.array(after, dtype=float) < 1.05 * mean).all()


@pytest.mark.parametrize("moves", [0, 4, 12])
def test_moves_are_limited_and_the_engine_accepts_the_table(monkeypatch, moves):
    monkeypatch.setenv(MOVES, str(moves))
    monkeypatch.setenv(TIME_LIMIT, "0.1")
    table, workload = large()
    changed, priority, new = EplbOptPolicy().rebalance_experts(table, workload)
    assert (changed == 1) == (moves > 0) and (new != table).sum() <= moves
    assert stand_ins.refused_by_ascend(table, new) == []
    values = folded(table, workload)
    before, after = exact_max_loads(table, values), exact_max_loads(new, values)
    assert all(now < was or np.array_equal(*rows) for was, now, *rows in zip(before, after, new, table, strict=True))
    if moves:
        # A layer that changes little is changed too: the limit says what moves are worth.
        assert sum(after) < sum(before) and priority[0] == np.argmin(np.array(after) / np.array(before))


def test_a_gain_that_is_asked_for_is_one_of_the_whole_model(monkeypatch):
    table, workload = large()
    values = folded(table, workload)
    _, _, free = EplbOptPolicy().rebalance_experts(table, workload)
    gain = 100 * (1 - sum(exact_max_loads(free, values)) / sum(exact_max_loads(table, values)))
    for asked, changes in ((gain - 1, 1), (gain + 1, 0)):
        monkeypatch.setenv(LEAST_GAIN, f"{float(asked):.6f}")
        assert EplbOptPolicy().rebalance_experts(table, workload)[0] == changes


def test_nothing_changes_where_nothing_gains():
    table, workload = large()
    policy = EplbOptPolicy()
    _, _, balanced = policy.rebalance_experts(table, workload)
    # The same loads of the experts, each shared by its slots.
    values = folded(table, workload)
    shares = np.zeros(balanced.shape, dtype=np.int64)
    for layer, row in enumerate(balanced):
        for expert in range(64):
            first = np.argwhere(row == expert)[0]
            shares[layer, first[0], first[1]] = values[layer, expert]
    changed, _, same = policy.rebalance_experts(balanced, shares)
    assert changed == 0 and np.array_equal(same, balanced)


def test_without_load_nothing_changes():
    table, workload = large()
    changed, priority, same = EplbOptPolicy().rebalance_experts(table, workload * 0)
    assert changed == 0 and np.array_equal(same, table) and priority.tolist() == [0, 1, 2, 3]


def test_stages_are_summed():
    table, workload = large()
    stages = np.stack([workload // 2, workload - workload // 2])
    _, _, together = EplbOptPolicy().rebalance_experts(table, workload)
    _, _, summed = EplbOptPolicy().rebalance_experts(torch.from_numpy(table), torch.from_numpy(stages))
    assert np.array_equal(together, summed)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32])
def test_loads_of_any_type_and_layout(dtype):
    table, workload = large()
    loads = torch.from_numpy(workload // 64).to(dtype)
    expected = EplbOptPolicy().rebalance_experts(table, loads.double())[2]
    for same in (loads, torch.stack([loads, loads], dim=3)[..., 0], loads.tolist()):
        assert np.array_equal(EplbOptPolicy().rebalance_experts(table, same)[2], expected)


def test_two_replicas_on_an_npu_are_parted_without_moving_one_of_them():
    table = np.array([[[0, 1, 0], [2, 3, 4]]])
    _, _, new = EplbOptPolicy().rebalance_experts(table, np.ones_like(table))
    assert stand_ins.refused_by_ascend(table, new) == []


def test_a_failure_leaves_a_table_that_the_engine_accepts(monkeypatch, caplog):
    monkeypatch.setattr(heuristics, "better_plan", lambda *_, **__: 1 // 0)
    table, workload = large()
    _, _, new = EplbOptPolicy().rebalance_experts(table, workload)
    assert stand_ins.refused_by_ascend(table, new) == [] and "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("ranks", [4, 12])
def test_the_next_plan_is_for_the_new_number_of_npus(ranks):
    # 32 experts, each on two NPUs of the 8; 4 NPUs have room for 36 replicas.
    table, workload = large()
    table = table % 32
    policy = EplbOptPolicy()
    policy.set_new_ep_size(ranks)
    changed, _, new = policy.rebalance_experts(table, workload)
    assert changed == 1 and new.shape == (4, ranks, 9)
    assert all(set(layer.ravel()) == set(range(32)) for layer in new)
    assert policy.rebalance_experts(table, workload)[2].shape == table.shape


def test_the_process_that_plans_begins_to_load_compiled_code(monkeypatch):
    begun = []
    monkeypatch.setattr(ascend.KERNELS, "begin", lambda: begun.append(True))
    sent = pickle.dumps(EplbOptPolicy())
    assert begun == []
    assert isinstance(pickle.loads(sent), EplbOptPolicy) and begun == [True]


@pytest.mark.parametrize(
    ("table", "workload"),
    [
        (np.zeros((2, 3), dtype=int), np.zeros((2, 3))),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2))),
        (np.full((1, 2, 2), -1), np.zeros((1, 2, 2))),
        (np.array([[[0, 1], [2, 3]]]), np.zeros((1, 2, 3))),
        (np.array([[[0, 1], [2, 3]]]), np.full((1, 2, 2), -1.0)),
        (np.array([[[0, 1], [2, 9]]]), np.ones((1, 2, 2))),  # ten experts in four slots
    ],
)
def test_mistakes_of_the_caller_are_told(table, workload):
    with pytest.raises(EplbOptError) as caught:
        EplbOptPolicy().rebalance_experts(table, workload)
    assert "\n" not in str(caught.value)


def test_the_patch_makes_this_the_policy(monkeypatch):
    factory = stand_ins.install(monkeypatch, stand_ins.vllm_ascend())[FACTORY].PolicyFactory
    for _ in range(2):
        patch()
    for arguments in [(0,), (2,), (1, object())]:
        assert isinstance(factory.generate_policy(*arguments), EplbOptPolicy)


def test_the_patch_without_vllm_ascend_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vllm_ascend", None)
    with pytest.raises(MissingPackageError, match="install a vLLM-Ascend") as caught:
        patch()
    assert "\n" not in str(caught.value)


def test_the_patch_of_another_layout_is_one_sentence(monkeypatch):
    module = stand_ins.install(monkeypatch, stand_ins.vllm_ascend())[FACTORY]
    del module.PolicyFactory.generate_policy
    with pytest.raises(MissingPackageError, match="generate_policy"):
        patch()


def test_the_patch_tells_of_a_wrong_time_limit(monkeypatch):
    stand_ins.install(monkeypatch, stand_ins.vllm_ascend())
    monkeypatch.setenv(TIME_LIMIT, "-2")
    with pytest.raises(InvalidArgumentError, match=TIME_LIMIT):
        patch()
