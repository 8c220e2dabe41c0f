"""Where experts can live: what a deployment accepts, what it decides, and what its errors say."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, InvalidDeploymentError
from tests.oracle import count_vectors
from tests.strategies import deployments_and_experts

FIELDS = ("num_gpus", "num_slots", "num_nodes", "num_groups")


def message(*args, **kwargs) -> str:
    with pytest.raises(InvalidDeploymentError) as caught:
        Deployment(*args, **kwargs)
    return str(caught.value)


def room_message(deployment: Deployment, num_experts: int) -> str:
    with pytest.raises(InvalidDeploymentError) as caught:
        deployment.require_room_for(num_experts)
    return str(caught.value)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 12))
def test_auto_is_hierarchical_as_published(nodes, gpus_per_node, groups):
    # DeepSeek's rebalance_experts: "if num_groups % num_nodes == 0: use hierarchical load-balance policy"; with
    # one node that policy has nothing to decide, and is the global one.
    deployment = Deployment(nodes * gpus_per_node, nodes * gpus_per_node, nodes, groups)
    assert deployment.hierarchical == (nodes > 1 and groups % nodes == 0)


def test_sizes_follow_from_the_fields():
    deployment = Deployment(num_gpus=32, num_slots=288, num_nodes=4, num_groups=8)
    assert deployment.hierarchical
    assert (deployment.slots_per_gpu, deployment.gpus_per_node, deployment.slots_per_node) == (9, 8, 72)
    assert (deployment.binding_nodes, deployment.binding_groups, deployment.groups_per_node) == (4, 8, 2)


def test_global_policy_binds_nothing_to_nodes():
    deployment = Deployment(num_gpus=32, num_slots=288, num_nodes=4, num_groups=8, policy="global")
    assert not deployment.hierarchical
    assert (deployment.binding_nodes, deployment.binding_groups, deployment.groups_per_node) == (1, 1, 1)
    assert (deployment.gpus_per_node, deployment.slots_per_node) == (32, 288)


def test_global_policy_does_not_need_nodes_that_divide_the_gpus():
    assert Deployment(num_gpus=6, num_slots=6, num_nodes=4, num_groups=3, policy="global").gpus_per_node == 6


def test_one_node_may_be_hierarchical_when_asked():
    assert Deployment(num_gpus=2, num_slots=4, num_groups=2, policy="hierarchical").groups_per_node == 2


def test_a_deployment_cannot_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Deployment(2, 4).num_gpus = 3


def test_equal_fields_are_equal_and_hash_alike():
    assert Deployment(2, 4) == Deployment(np.int64(2), 4)
    assert hash(Deployment(2, 4)) == hash(Deployment(2, 4))
    assert Deployment(2, 4) != Deployment(2, 4, distinct=False)


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint32])
def test_numpy_integers_become_python_integers(kind):
    deployment = Deployment(kind(4), kind(8), kind(2), kind(4))
    assert [type(getattr(deployment, name)) for name in FIELDS] == [int] * 4


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [True, np.True_, 4.0, np.float64(4), "4", None, 0, -4, float("nan"), [4]])
def test_what_is_no_positive_integer_is_refused_by_name_and_value(name, value):
    text = message(**{"num_gpus": 4, "num_slots": 4, name: value})
    assert text.startswith(f"{name}={value!r} is not a")
    assert "integer" in text


@pytest.mark.parametrize("policy", ["Global", "", None, 1, ["global"]])
def test_an_unknown_policy_is_refused_with_the_known_ones(policy):
    text = message(2, 4, policy=policy)
    assert repr(policy) in text
    assert all(known in text for known in ("auto", "hierarchical", "global"))


def test_errors_are_value_errors_of_one_family():
    assert issubclass(InvalidDeploymentError, ValueError)
    assert issubclass(InvalidDeploymentError, EplbOptError)


def test_slots_that_do_not_divide_by_the_gpus_name_the_nearest():
    # 250 = 7 * 32 + 26: between 224 and 256.
    assert message(32, 250) == "num_slots=250 is not a multiple of num_gpus=32; nearest: 224 or 256"


def test_fewer_slots_than_gpus_name_the_gpus_as_the_nearest():
    assert message(32, 5) == "num_slots=5 is not a multiple of num_gpus=32; nearest: 32"


def test_nodes_that_do_not_divide_the_groups_name_the_nearest_that_do():
    # Both 8 GPUs and 6 groups divide by 1 and 2.
    text = message(8, 16, num_nodes=4, num_groups=6, policy="hierarchical")
    assert text.startswith("num_groups=6 is not a multiple of num_nodes=4; nearest: num_nodes=2 (policy='global'")


def test_nodes_that_do_not_divide_the_gpus_name_the_nearest_that_do():
    text = message(9, 18, num_nodes=2, num_groups=6, policy="hierarchical")
    assert text.startswith("num_gpus=9 is not a multiple of num_nodes=2; nearest: num_nodes=1 or 3 (policy='global'")


def test_too_few_slots_name_the_fewest_that_do():
    # 10 experts on 4 GPUs: 12 is the least multiple of 4 from 10 on.
    assert room_message(Deployment(4, 8), 10) == "num_slots=8 cannot hold 10 experts; nearest: 12"


def test_too_many_slots_for_distinct_replicas_name_the_most_that_do():
    # Four slots on a GPU, three experts: 3 * 2 = 6 slots can be filled.
    assert room_message(Deployment(2, 8), 3) == (
        "num_slots=8 is more than distinct replicas can fill, as a GPU can hold only 3 different experts "
        "(distinct=False allows copies); nearest: 6"
    )


def test_too_many_slots_for_the_experts_of_a_node_name_the_most_that_do():
    # 8 experts on 2 nodes: a GPU can hold 4, so 4 GPUs have at most 16 slots.
    text = room_message(Deployment(4, 20, num_nodes=2, num_groups=2), 8)
    assert "only 4 different experts" in text and text.endswith("; nearest: 16")


def test_groups_that_do_not_divide_the_experts_name_the_nearest_that_do():
    # Of the divisors of 10 those that divide by 2 nodes: 2 and 10.
    text = room_message(Deployment(4, 12, num_nodes=2, num_groups=4), 10)
    assert text.startswith("num_groups=4 does not divide num_experts=10; nearest: 2 or 10 (policy='global' ")
    # Nine experts are never the same number of groups on two nodes.
    assert "nearest" not in room_message(Deployment(4, 12, num_nodes=2, num_groups=4), 9)


def test_experts_need_not_divide_by_groups_that_bind_nothing():
    Deployment(4, 12, num_groups=4).require_room_for(10)


def test_more_gpus_or_slots_than_are_supported_are_refused_without_an_impossible_number():
    assert message(100_001, 5) == "num_gpus=100001 is more than 100000, the most supported"
    assert message(70_000, 140_000).endswith("the most supported; nearest: 70000")
    # 100,000 experts on 99,999 GPUs want twice as many slots as GPUs.
    assert room_message(Deployment(99_999, 99_999), 100_000) == "num_slots=99999 cannot hold 100000 experts"


NUMBERS = st.integers(1, 24)
POLICIES = st.sampled_from(["auto", "hierarchical", "global"])


def refusal(shape: dict, num_experts: int | None) -> str | None:
    try:
        deployment = Deployment(**shape)
        if num_experts is not None:
            deployment.require_room_for(num_experts)
    except InvalidDeploymentError as error:
        return str(error)
    return None


def ways_out(text: str) -> list[tuple[str, object]]:
    """Every argument that a message names, with each value that it suggests."""
    name, _, numbers = re.search(r"nearest: ((\w+)=)?(\d+(?: or \d+)?)", text + "nearest: 0").groups()
    name = (name or re.match(r"\w+=", text).group()).removesuffix("=")
    found = [(name, int(number)) for number in numbers.split(" or ") if "nearest" in text]
    words = [("policy", "global", "policy='global'"), ("distinct", False, "distinct=False")]
    return found + [(name, value) for name, value, word in words if word in text]


@given(st.data(), NUMBERS, st.integers(1, 80), st.integers(1, 6), NUMBERS, POLICIES, st.booleans(), st.none() | NUMBERS)
def test_whoever_does_what_messages_say_gets_a_deployment(data, gpus, slots, nodes, groups, policy, distinct, experts):
    shape = {"num_gpus": gpus, "num_slots": slots, "num_nodes": nodes, "num_groups": groups}
    shape |= {"policy": policy, "distinct": distinct}
    # At most the nodes, the slots, the groups and, now that the experts are known, the slots again.
    for _ in range(4):
        if (text := refusal(shape, experts)) is not None:
            name, value = data.draw(st.sampled_from(ways_out(text)))
            shape[name] = value
    assert refusal(shape, experts) is None


@given(deployments_and_experts(max_experts=12, max_gpus=6, max_slots=24), st.integers(1, 40))
def test_one_number_of_slots_that_is_wrong_is_mended_by_each_that_is_suggested(pair, slots):
    deployment, experts = pair
    shape = dataclasses.asdict(deployment) | {"num_slots": slots}
    text = refusal(shape, experts)
    # Without the experts a multiple of the GPUs is all there is to ask for.
    known = experts if text is not None and "expert" in text else None
    for name, value in [] if text is None else ways_out(text):
        assert refusal(shape | {name: value}, known) is None, text


@given(deployments_and_experts(max_experts=12, max_gpus=6, max_slots=24))
def test_possible_slots_are_those_with_room(pair):
    deployment, experts = pair
    size = deployment.num_gpus
    fitting = [
        n
        for n in range(size, 30 * size, size)
        if refusal(dataclasses.asdict(deployment) | {"num_slots": n}, experts) is None
    ]
    assert fitting == [n for n in deployment.possible_slots(experts) if n < 30 * size]


def test_there_is_room_exactly_when_some_counts_fit():
    # Counts of 1 .. GPUs (distinct) or any positive counts that sum to the slots of the node.
    for nodes, gpus, size, experts, distinct in itertools.product((1, 2), (1, 2, 3), (1, 2, 3), (1, 2, 3, 4), (0, 1)):
        deployment = Deployment(nodes * gpus, nodes * gpus * size, nodes, nodes, distinct=bool(distinct))
        fits = any(count_vectors(experts, gpus * size, gpus if distinct else gpus * size))
        try:
            deployment.require_room_for(nodes * experts)
        except InvalidDeploymentError:
            assert not fits
        else:
            assert fits


@given(deployments_and_experts())
def test_the_strategy_builds_deployments_with_room(pair):
    deployment, experts = pair
    deployment.require_room_for(experts)
    assert deployment.num_slots <= 8


def test_distinct_is_true_or_false():
    assert Deployment(2, 4, distinct=np.bool_(False)).distinct is False
    with pytest.raises(InvalidDeploymentError, match="distinct='no' is not True or False"):
        Deployment(2, 4, distinct="no")
