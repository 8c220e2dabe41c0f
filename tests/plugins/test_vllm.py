"""vLLM's policy interface, in its two forms, and registration."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import EplbOptError, InvalidArgumentError, MissingPackageError
from eplb_opt.plugins import planner
from eplb_opt.plugins.changes import LEAST_GAIN, MOVES
from eplb_opt.plugins.planner import TIME_LIMIT
from eplb_opt.plugins.vllm import EplbOptPolicy, EplbOptTensorsPolicy, register
from tests.examples import examples
from tests.plugins import stand_ins
from tests.plugins.sizes import check, loads, numbers
from tests.test_drop_in import check_tensors

POLICY = "vllm.distributed.eplb.policy"
WEIGHT = torch.from_numpy(np.random.default_rng(0).lognormal(8, 1, (3, 64)).astype(np.int32))


def initial_map(layers, experts, slots):
    """What vLLM begins with: all experts, then the first ones again."""
    return torch.cat([torch.arange(experts), torch.arange(slots - experts) % experts]).expand(layers, -1)


@pytest.mark.parametrize("policy", [EplbOptPolicy, EplbOptTensorsPolicy])
def test_the_signature_is_vllms(policy):
    parameters = inspect.signature(policy.rebalance_experts).parameters
    names = ["weight", "num_replicas", "num_groups", "num_nodes", "num_ranks", "old_global_expert_indices"]
    assert list(parameters) == names
    assert parameters["old_global_expert_indices"].default is None


@examples(20)
@given(st.data())
def test_answers_obey_the_rules_and_are_no_hotter_than_vllms(data):
    sizes = data.draw(numbers())
    values = data.draw(loads(sizes))
    old = initial_map(len(values), sizes.experts, sizes.slots) if data.draw(st.booleans()) else None
    dtype = data.draw(st.sampled_from([torch.int64, torch.float64]))
    arguments = (torch.from_numpy(values).to(dtype), sizes.slots, sizes.groups, sizes.nodes, sizes.gpus, old)
    phy2log = EplbOptPolicy.rebalance_experts(*arguments)
    assert phy2log.dtype == torch.int64 and phy2log.device.type == "cpu"
    check(sizes, values, phy2log.numpy())
    tensors = EplbOptTensorsPolicy.rebalance_experts(*arguments)
    assert tensors[0].tolist() == phy2log.tolist()
    check_tensors(tensors, len(values), sizes.experts, sizes.slots)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32])
def test_equal_loads_of_any_type_and_layout_have_the_same_plan(dtype):
    weight = (WEIGHT // 1024).to(dtype)
    expected = EplbOptPolicy.rebalance_experts(weight.double(), 80, 8, 2, 8)
    spread = torch.stack([weight, weight], dim=2)[:, :, 0]
    assert not spread.is_contiguous()
    for same in (weight, spread):
        assert torch.equal(EplbOptPolicy.rebalance_experts(same, 80, 8, 2, 8), expected)


def test_an_old_map_saves_moves_and_keeps_slots():
    old = EplbOptPolicy.rebalance_experts(WEIGHT, 80, 8, 2, 8)
    later = torch.from_numpy(np.random.default_rng(1).poisson(WEIGHT))
    there = EplbOptPolicy.rebalance_experts(later, 80, 8, 2, 8)
    here = EplbOptPolicy.rebalance_experts(later, 80, 8, 2, 8, old)
    assert (here != old).sum() < (there != old).sum()
    for before, after in zip(old.reshape(-1, 10).tolist(), here.reshape(-1, 10).tolist(), strict=True):
        assert all(was == now for was, now in zip(before, after, strict=True) if now in before)


def test_moves_are_limited_from_the_old_map_on(monkeypatch):
    monkeypatch.setenv(MOVES, "5")
    monkeypatch.setenv(TIME_LIMIT, "0.05")
    old = EplbOptPolicy.rebalance_experts(WEIGHT, 80, 1, 1, 8)
    later = torch.from_numpy(np.random.default_rng(1).poisson(WEIGHT.numpy() * np.linspace(0.5, 1.5, 64)))
    for policy in (EplbOptPolicy.rebalance_experts, lambda *of: EplbOptTensorsPolicy.rebalance_experts(*of)[0]):
        assert 0 < (policy(later, 80, 1, 1, 8, old) != old).sum() <= 5
    # What vLLM begins with is a plan too where groups are not bound to nodes.
    begins = initial_map(3, 64, 80)
    assert 0 < (EplbOptPolicy.rebalance_experts(later, 80, 1, 1, 8, begins) != begins).sum() <= 5


def test_registration_refuses_limits_that_this_vllm_cannot_keep(monkeypatch):
    engine = stand_ins.install(monkeypatch, stand_ins.vllm(tuple[torch.Tensor], "old"))[POLICY]
    shipped = engine.EPLB_POLICIES["default"]
    monkeypatch.setenv(LEAST_GAIN, "2")
    with pytest.raises(InvalidArgumentError, match="EPLB_OPT_LEAST_GAIN=2: unset") as caught:
        register()
    assert "\n" not in str(caught.value) and engine.EPLB_POLICIES["default"] is shipped
    stand_ins.install(monkeypatch, stand_ins.vllm())
    register()


def test_a_profile_run_is_answered_with_a_plan_without_a_search(monkeypatch):
    monkeypatch.setattr(planner.KERNELS, "wait", lambda: pytest.fail("waited for kernels"))
    weight = torch.zeros(58, 256, dtype=torch.int32)
    tensors = EplbOptTensorsPolicy.rebalance_experts(weight, 288, 8, 4, 32, initial_map(58, 256, 288))
    check_tensors([tensor[:2] for tensor in tensors], 2, 256, 288)


def test_unused_slots_and_maps_of_another_size_are_no_mistake():
    expected = EplbOptPolicy.rebalance_experts(WEIGHT, 80, 8, 2, 8)
    unused = torch.full((3, 80), -1)
    assert sorted(EplbOptPolicy.rebalance_experts(WEIGHT, 80, 8, 2, 8, unused)[0]) == sorted(expected[0])
    grown = EplbOptPolicy.rebalance_experts(WEIGHT, 80, 8, 2, 8, initial_map(3, 64, 72))
    assert torch.equal(grown, expected)


@pytest.mark.parametrize("old", [torch.zeros(2, 80, dtype=torch.int64), torch.zeros(3, 80), torch.zeros(240).long()])
def test_a_map_that_is_none_is_one_sentence(old):
    with pytest.raises(InvalidArgumentError, match="old_global_expert_indices") as caught:
        EplbOptPolicy.rebalance_experts(WEIGHT, 80, 8, 2, 8, old)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("weight", "sizes"),
    [
        (torch.ones(4), (4, 1, 1, 1)),
        (torch.ones(1, 4), (5, 1, 1, 2)),
        (torch.ones(1, 4), (3, 1, 1, 1)),
        (torch.tensor([[1.0, float("nan")]]), (2, 1, 1, 1)),
    ],
)
def test_mistakes_of_the_caller_are_told(weight, sizes):
    with pytest.raises(EplbOptError) as caught:
        EplbOptPolicy.rebalance_experts(weight, *sizes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "parameters", "policy"),
    [
        (torch.Tensor, "new", EplbOptPolicy),
        ("torch.Tensor", "new", EplbOptPolicy),
        (tuple[torch.Tensor, torch.Tensor, torch.Tensor], "new", EplbOptTensorsPolicy),
        (tuple[torch.Tensor, torch.Tensor, torch.Tensor], "old", EplbOptTensorsPolicy),
    ],
)
def test_registration_takes_the_form_that_vllm_asks_for(monkeypatch, answer, parameters, policy):
    engine = stand_ins.install(monkeypatch, stand_ins.vllm(answer, parameters))[POLICY]
    for _ in range(2):
        register()
    assert list(engine.EPLB_POLICIES.items()) == [("default", policy)]
    assert issubclass(policy, engine.AbstractEplbPolicy)


def test_registration_starts_no_thread(monkeypatch):
    # vLLM forks its workers from processes that register, and a fork must not meet a thread that compiles.
    stand_ins.install(monkeypatch, stand_ins.vllm())
    monkeypatch.setattr("eplb_opt.plugins.planner.KERNELS.begin", lambda: pytest.fail("began to load"))
    register()


def test_registration_without_vllm_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vllm", None)
    with pytest.raises(MissingPackageError, match="install a vLLM") as caught:
        register()
    assert "\n" not in str(caught.value)


def test_registration_with_other_policies_is_one_sentence(monkeypatch):
    modules = stand_ins.install(monkeypatch, stand_ins.vllm(parameters="context"))
    with pytest.raises(MissingPackageError, match="policy_state"):
        register()
    modules[POLICY].EPLB_POLICIES.clear()
    with pytest.raises(MissingPackageError, match="EPLB_POLICIES"):
        register()


def test_registration_tells_of_a_wrong_time_limit(monkeypatch):
    engine = stand_ins.install(monkeypatch, stand_ins.vllm())[POLICY]
    shipped = engine.EPLB_POLICIES["default"]
    monkeypatch.setenv(TIME_LIMIT, "soon")
    with pytest.raises(InvalidArgumentError, match="soon"):
        register()
    assert engine.EPLB_POLICIES["default"] is shipped
