"""Options that describe a deployment: what a refusal suggests is accepted in its place."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.cli import deployment_words, options, plans
from eplb_opt.errors import InvalidDeploymentError
from eplb_opt.io.content import read_content
from tests.strategies import deployments_and_experts

PAIRS = deployments_and_experts(max_experts=12, max_gpus=6, max_slots=24)


def deployment_of(shape, experts, slots=None, redundant=None):
    where = options.DeploymentOptions(
        gpus=shape.num_gpus,
        slots=slots,
        redundant=redundant,
        nodes=shape.num_nodes,
        groups=shape.num_groups,
        policy=shape.policy,
        distinct=shape.distinct,
    )
    return where.deployment(experts)


@given(PAIRS, st.integers(-5, 40) | st.none(), st.booleans())
def test_the_redundancy_that_a_message_suggests_is_accepted(pair, number, in_slots):
    shape, experts = pair
    option = "slots" if in_slots and number is not None else "redundant"
    try:
        found = deployment_of(shape, experts, **{option: number})
        found.require_room_for(experts)
        return
    except InvalidDeploymentError as error:
        text = str(error)
    suggested = re.search(r"nearest: (--redundant )?(\d+(?: or \d+)?)$", text)
    # One number of slots for each size of a GPU is possible, if only the size of the strategy's own.
    assert suggested is not None and (suggested[1] is not None) == (option == "redundant"), text
    for value in map(int, suggested[2].split(" or ")):
        deployment_of(shape, experts, **{option: value}).require_room_for(experts)


def test_no_redundancy_on_gpus_that_do_not_divide_the_experts_names_the_least():
    shape = eplb_opt.Deployment(num_gpus=72, num_slots=288)
    with pytest.raises(InvalidDeploymentError, match=r"num_gpus=72; nearest: --redundant 32$"):
        deployment_of(shape, 256, redundant=0)
    # 255 slots on 3 GPUs are fewer than the experts.
    with pytest.raises(InvalidDeploymentError, match=r"num_gpus=3; nearest: --redundant 2$"):
        deployment_of(replace(shape, num_gpus=3), 256, redundant=0)


@given(PAIRS)
def test_slots_that_nobody_says_are_the_fewest_that_a_deployment_has(pair):
    shape, experts = pair
    found = deployment_of(shape, experts)
    found.require_room_for(experts)
    for fewer in range(found.num_slots):
        with pytest.raises(InvalidDeploymentError):
            replace(shape, num_slots=fewer or -1).require_room_for(experts)


def test_the_fewest_slots_are_told_in_words():
    shape = deployment_of(eplb_opt.Deployment(num_gpus=72, num_slots=72), 256)
    words = "288 slots: the fewest that hold 256 experts on 72 GPUs, 4 each"
    assert deployment_words.fewest_words(shape, 256) == words


@pytest.mark.parametrize(("gpus", "nodes", "nearest"), [(7, 1, "6 or 8"), (9, 3, "6 or 12"), (30, 1, "24")])
def test_gpus_that_cannot_share_the_slots_of_a_file_name_those_that_can(tmp_path, gpus, nodes, nearest):
    plan = eplb_opt.Plan(np.arange(24)[np.newaxis], eplb_opt.Deployment(8, 24), 24)
    eplb_opt.write_plan(plan, tmp_path / "vllm.json", engine="vllm")

    def read(gpus):
        return plans.PlanSource(read_content(tmp_path / "vllm.json"), asked=plans.Asked(gpus, nodes, nodes)).plan()[0]

    with pytest.raises(InvalidDeploymentError) as caught:
        read(gpus)
    assert str(caught.value).endswith(f"vllm.json equally; nearest: {nearest}")
    for number in map(int, nearest.split(" or ")):
        assert read(number).deployment.num_gpus == number
