"""SGLang's EPLB algorithms: signatures, tensors, and the patch."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import EplbOptError, InvalidArgumentError, MissingPackageError
from eplb_opt.plugins import sglang
from eplb_opt.plugins.changes import MOVES
from eplb_opt.plugins.planner import TIME_LIMIT
from eplb_opt.plugins.sglang import deepseek_rebalance_experts, patch, plug_in, rebalance_experts
from tests.examples import examples
from tests.plugins import stand_ins
from tests.plugins.sizes import Numbers, check, loads, numbers
from tests.plugins.stand_ins import EplbAlgorithm
from tests.test_drop_in import check_tensors

ALGORITHMS = "sglang.srt.eplb.eplb_algorithms"
STEPS = torch.from_numpy(np.random.default_rng(0).poisson(1000, (5, 3, 32)).astype(np.int32))


def test_the_signatures_are_sglangs():
    names = "tokens_per_expert num_physical_experts num_local_physical_experts num_groups num_nodes algorithm"
    assert list(inspect.signature(rebalance_experts).parameters) == names.split()
    names = "weight num_replicas num_groups num_nodes num_gpus enable_hierarchical"
    assert list(inspect.signature(deepseek_rebalance_experts).parameters) == names.split()


@examples(20)
@given(st.data())
def test_answers_obey_the_rules_and_are_no_hotter_than_sglangs(data):
    sizes = data.draw(numbers())
    hierarchical = data.draw(st.booleans()) and sizes.groups % sizes.nodes == 0
    # Without groups on nodes, the sizes are those of one node.
    ruled = sizes if hierarchical else Numbers(sizes.experts, sizes.slots, 1, 1, sizes.gpus)
    values = data.draw(loads(sizes))
    algorithm = EplbAlgorithm.deepseek_hierarchical if hierarchical else EplbAlgorithm.deepseek
    local = sizes.slots // sizes.gpus
    steps = torch.from_numpy(values)
    for tokens in (steps, steps[np.newaxis], torch.stack([steps, steps * 0])):
        tensors = rebalance_experts(tokens, sizes.slots, local, sizes.groups, sizes.nodes, algorithm)
        check_tensors(tensors, len(values), sizes.experts, sizes.slots)
        check(ruled, values, tensors[0].numpy())
    leaf = deepseek_rebalance_experts(steps, sizes.slots, sizes.groups, sizes.nodes, sizes.gpus, hierarchical)
    assert [one.tolist() for one in leaf] == [one.tolist() for one in tensors]


def test_vectorised_algorithms_have_the_width_that_an_expert_can_need():
    _, wide, counts = rebalance_experts(STEPS, 40, 10, None, 2, EplbAlgorithm.deepseek_vec)
    _, narrow, same = rebalance_experts(STEPS, 40, 10, None, 2, EplbAlgorithm.deepseek)
    assert wide.shape == (3, 32, 40 - 32 + 1) and narrow.shape == (3, 32, counts.max())
    assert torch.equal(counts, same) and (wide[:, :, narrow.shape[2] :] == -1).all()


def test_moves_are_limited_from_what_sglang_says_that_runs(monkeypatch):
    monkeypatch.setenv(MOVES, "4")
    monkeypatch.setenv(TIME_LIMIT, "0.05")
    later = torch.from_numpy(np.random.default_rng(1).poisson(1000 * np.linspace(0.5, 1.5, 32), (5, 3, 32)))
    asked = (later, 40, 10, None, 2, EplbAlgorithm.deepseek)
    # Nothing runs while SGLang starts, and other numbers of slots run while it grows.
    for running in (None, torch.arange(36).expand(3, -1) % 32):
        stand_ins.install(monkeypatch, stand_ins.sglang(running))
        first = rebalance_experts(*asked)[0]
    running = rebalance_experts(STEPS, 40, 10, None, 2, EplbAlgorithm.deepseek)[0]
    assert (first != running).sum() > 4
    stand_ins.install(monkeypatch, stand_ins.sglang(running))
    tensors = rebalance_experts(*asked)
    check_tensors(tensors, 3, 32, 40)
    assert 0 < (tensors[0] != running).sum() <= 4
    leaf = deepseek_rebalance_experts(later.sum(dim=0), 40, None, 2, 4, False)
    assert torch.equal(leaf[0], tensors[0])
    monkeypatch.delenv(MOVES)
    assert torch.equal(rebalance_experts(*asked)[0], first)


def test_the_patch_refuses_limits_where_sglang_does_not_say_what_runs(monkeypatch):
    modules = stand_ins.install(monkeypatch, stand_ins.sglang())
    del modules["sglang.srt.eplb.expert_location"].get_global_expert_location_metadata
    shipped = modules[ALGORITHMS].rebalance_experts
    monkeypatch.setenv(MOVES, "4")
    with pytest.raises(MissingPackageError, match="get_global_expert_location_metadata") as caught:
        patch()
    assert "\n" not in str(caught.value) and modules[ALGORITHMS].rebalance_experts is shipped
    monkeypatch.delenv(MOVES)
    patch()


def test_steps_are_summed_and_dense_layers_get_a_plan():
    tokens = STEPS.clone()
    tokens[:, 0] = 0
    tensors = rebalance_experts(tokens, 40, 10, 4, 2, "deepseek_hierarchical")
    check_tensors(tensors, 3, 32, 40)
    summed = rebalance_experts(tokens.sum(dim=0), 40, 10, 4, 2, EplbAlgorithm.deepseek_hierarchical)
    assert torch.equal(tensors[0], summed[0])


def test_steps_of_short_numbers_do_not_overflow():
    # 2 steps of 60000 tokens are more than float16 holds.
    tokens = torch.full((2, 1, 32), 60000.0, dtype=torch.float16)
    check_tensors(rebalance_experts(tokens, 40, 10, None, 1, "deepseek"), 1, 32, 40)


def test_gpus_that_do_not_divide_by_the_nodes_are_planned_globally():
    tensors = rebalance_experts(STEPS, 36, 6, 4, 4, EplbAlgorithm.deepseek_hierarchical)
    check_tensors(tensors, 3, 32, 36)


def test_all_layers_of_a_model_without_load():
    tokens = torch.zeros(2, 61, 256, dtype=torch.int32)
    check_tensors(rebalance_experts(tokens, 288, 9, 8, 4, EplbAlgorithm.deepseek_hierarchical), 61, 256, 288)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32])
def test_equal_loads_of_any_type_and_layout_have_the_same_plan(dtype):
    weight = (STEPS[0] // 16).to(dtype)
    expected = deepseek_rebalance_experts(weight.double(), 40, None, 1, 4, False)
    for same in (weight, torch.stack([weight, weight], dim=2)[:, :, 0]):
        answers = deepseek_rebalance_experts(same, 40, None, 1, 4, False)
        assert all(torch.equal(*pair) for pair in zip(answers, expected, strict=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokens_per_expert": torch.ones(32)}, "tokens_per_expert has shape"),
        ({"tokens_per_expert": STEPS - 2000}, "negative"),
        ({"tokens_per_expert": STEPS[0] - 2000}, "not a finite, non-negative number"),
        ({"tokens_per_expert": STEPS / 0}, "not a finite, non-negative number"),
        ({"num_local_physical_experts": 7}, "num_local_physical_experts=7"),
        ({"num_local_physical_experts": 0}, "num_local_physical_experts=0"),
        ({"num_physical_experts": 30}, "cannot hold 32 experts"),
        ({"num_groups": 3}, "num_groups=3"),
        ({"algorithm": EplbAlgorithm.elasticity_aware}, "elasticity_aware"),
    ],
)
def test_mistakes_of_the_caller_are_told(change, words):
    arguments = {
        "tokens_per_expert": STEPS,
        "num_physical_experts": 40,
        "num_local_physical_experts": 10,
        "num_groups": 4,
        "num_nodes": 2,
        "algorithm": EplbAlgorithm.deepseek_hierarchical,
    }
    arguments |= change
    if arguments["num_physical_experts"] == 30:
        arguments["num_local_physical_experts"] = 15
    with pytest.raises(EplbOptError, match=words) as caught:
        rebalance_experts(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("algorithm", EplbAlgorithm)
def test_the_patch_takes_the_place_of_what_it_can_replace(monkeypatch, algorithm):
    engine = stand_ins.install(monkeypatch, stand_ins.sglang())[ALGORITHMS]
    for _ in range(2):
        patch()
    answer = engine.rebalance_experts(
        tokens_per_expert=STEPS,
        num_physical_experts=40,
        num_local_physical_experts=10,
        num_groups=4,
        num_nodes=2,
        algorithm=algorithm,
    )
    if algorithm is EplbAlgorithm.elasticity_aware:
        assert answer == "shipped elasticity_aware"
    else:
        check_tensors((answer[0], answer[1][:, :, : answer[2].max()], answer[2]), 3, 32, 40)
    assert engine.deepseek.rebalance_experts is deepseek_rebalance_experts


def test_the_patch_begins_to_load_compiled_code(monkeypatch):
    stand_ins.install(monkeypatch, stand_ins.sglang())
    begun = []
    monkeypatch.setattr(sglang.KERNELS, "begin", lambda: begun.append(True))
    patch()
    assert begun == [True]


def test_the_patch_without_sglang_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sglang", None)
    with pytest.raises(MissingPackageError, match="install an SGLang") as caught:
        patch()
    assert "\n" not in str(caught.value)


def test_the_patch_of_another_layout_is_one_sentence_and_changes_nothing(monkeypatch):
    modules = stand_ins.install(monkeypatch, stand_ins.sglang())
    shipped = modules[ALGORITHMS].rebalance_experts
    del modules[f"{ALGORITHMS}.deepseek"].rebalance_experts
    with pytest.raises(MissingPackageError, match="rebalance_experts"):
        patch()
    assert modules[ALGORITHMS].rebalance_experts is shipped


def test_an_entry_point_ends_sglang_where_it_cannot_plan_and_does_what_the_patch_does_where_it_can(monkeypatch):
    engine = stand_ins.install(monkeypatch, stand_ins.sglang())[ALGORITHMS]
    monkeypatch.setenv(TIME_LIMIT, "fast")
    with pytest.raises(SystemExit) as caught:
        plug_in()
    assert caught.value.code == (
        f"eplb_opt cannot plan in SGLang: {TIME_LIMIT}='fast' is not a number of seconds, such as 0.5"
    )
    assert not hasattr(engine.rebalance_experts, "of_eplb_opt")
    monkeypatch.delenv(TIME_LIMIT)
    plug_in()
    assert engine.rebalance_experts.of_eplb_opt


def test_the_patch_tells_of_a_wrong_time_limit(monkeypatch):
    stand_ins.install(monkeypatch, stand_ins.sglang())
    monkeypatch.setenv(TIME_LIMIT, "0")
    with pytest.raises(InvalidArgumentError, match=TIME_LIMIT):
        patch()
