"""rebalance_experts: DeepSeek's signature and tensors."""

import inspect
import signal

import numpy as np
import pytest
import torch

import eplb_opt
from eplb_opt.errors import EplbOptError, InvalidDeploymentError
from tests.formulations.test_assignment import README


def check_tensors(tensors, layers, experts, slots):
    phy2log, log2phy, logcnt = tensors
    for tensor in tensors:
        assert tensor.dtype == torch.int64 and tensor.device.type == "cpu"
    assert phy2log.shape == (layers, slots) and logcnt.shape == (layers, experts)
    assert log2phy.shape == (layers, experts, int(logcnt.max()))
    assert logcnt.min() >= 1 and (logcnt.sum(dim=1) == slots).all()
    for layer in range(layers):
        for expert in range(experts):
            slots_of_expert = (phy2log[layer] == expert).nonzero().ravel().tolist()
            padding = [-1] * (log2phy.shape[2] - len(slots_of_expert))
            assert log2phy[layer, expert].tolist() == slots_of_expert + padding
            assert logcnt[layer, expert] == len(slots_of_expert)


def test_the_signature_is_deepseeks():
    names = list(inspect.signature(eplb_opt.rebalance_experts).parameters)
    assert names[:5] == ["weight", "num_replicas", "num_groups", "num_nodes", "num_gpus"]


def test_the_readme_example_is_solved_to_optimality():
    tensors = eplb_opt.rebalance_experts(torch.tensor(README), 16, 4, 2, 8)
    check_tensors(tensors, 2, 12, 16)
    phy2log, _, logcnt = tensors
    for layer, optimum in enumerate((151.0, 179.5)):
        shares = torch.tensor(README[layer]) / logcnt[layer]
        assert shares[phy2log[layer]].reshape(8, 2).sum(dim=1).max() == pytest.approx(optimum)


@pytest.mark.parametrize(
    "dtype", [torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
def test_any_number_type_will_do(dtype):
    weight = (torch.tensor(README) // 4).to(dtype).requires_grad_(dtype.is_floating_point)
    check_tensors(eplb_opt.rebalance_experts(weight, 16, 4, 2, 8, time_limit=0.2), 2, 12, 16)


@pytest.mark.parametrize(
    ("shape", "slots", "groups", "nodes", "gpus"),
    [
        ((2, 12), 12, 4, 2, 4),  # no redundancy
        ((1, 6), 6, 1, 1, 1),  # one GPU
        ((1, 6), 8, 1, 1, 1),  # one GPU with redundancy: copies have to share it
        ((3, 12), 16, 3, 2, 8),  # groups that do not divide by the nodes: global
        ((3, 12), 15, 3, 2, 5),  # nor do the GPUs, which does not matter then
        ((1, 7), 9, 1, 1, 3),  # odd numbers
    ],
)
def test_odd_shapes(shape, slots, groups, nodes, gpus):
    weight = torch.from_numpy(np.random.default_rng(0).integers(0, 100, shape))
    check_tensors(eplb_opt.rebalance_experts(weight, slots, groups, nodes, gpus, time_limit=0.2), *shape, slots)


def test_layers_without_load_get_a_plan_at_once():
    # Engines call the policy with empty windows while they profile memory.
    weight = torch.zeros(58, 256)
    tensors = eplb_opt.rebalance_experts(weight, 288, 8, 4, 32, time_limit=60)
    check_tensors([tensor[:2] for tensor in tensors], 2, 256, 288)


def test_hierarchy_is_kept():
    random = np.random.default_rng(1)
    phy2log, _, _ = eplb_opt.rebalance_experts(torch.from_numpy(random.random((2, 16))), 24, 4, 2, 4, time_limit=0.2)
    node_groups = [{int(expert) // 4 for expert in half} for half in phy2log[0].reshape(2, 12)]
    assert [len(groups) for groups in node_groups] == [2, 2] and not node_groups[0] & node_groups[1]


def test_distinct_is_the_default_and_can_be_dropped():
    weight = torch.tensor([[100.0, 1.0, 1.0]])
    with_rule, _, counts = eplb_opt.rebalance_experts(weight, 6, 1, 1, 2)
    assert counts.tolist() == [[2, 2, 2]] and sorted(with_rule[0, :3].tolist()) == [0, 1, 2]
    _, _, counts = eplb_opt.rebalance_experts(weight, 6, 1, 1, 2, distinct=False)
    assert counts.tolist()[0][0] >= 2


def test_ctrl_c_ends_it(monkeypatch):
    pressed = []

    def solve(*args, **options):
        def press(now):
            if not pressed:
                pressed.append(now)
                signal.raise_signal(signal.SIGINT)

        return eplb_opt.solve(*args, progress=press, **options)

    monkeypatch.setattr("eplb_opt.drop_in.solve", solve)
    with pytest.raises(KeyboardInterrupt):
        eplb_opt.rebalance_experts(torch.ones(2, 8), 16, 1, 1, 4)
    assert pressed


def test_wrong_input_is_one_sentence():
    for weight, numbers in (
        (torch.tensor([[1.0, float("nan")]]), (2, 1, 1, 1)),
        (torch.ones(1, 4), (3, 1, 1, 3)),
        (torch.ones(1, 4), (5, 1, 1, 2)),
        (torch.ones(1, 6), (8, 4, 2, 4)),
    ):
        with pytest.raises(EplbOptError) as caught:
            eplb_opt.rebalance_experts(weight, *numbers)
        assert "\n" not in str(caught.value)


def test_replicas_that_do_not_divide_name_only_numbers_that_hold_the_experts():
    # 255 is a multiple of 3 too, and fewer than the experts.
    with pytest.raises(InvalidDeploymentError, match=r"num_slots=256 is not a multiple of num_gpus=3; nearest: 258$"):
        eplb_opt.rebalance_experts(torch.ones(1, 256), 256, 1, 1, 3)
