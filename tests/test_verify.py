"""The specification of a valid plan, rule by rule, and the exact value of a plan."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.verify import RULES, gpu_loads, max_loads, objective_value, require_valid, verify
from tests.examples import examples
from tests.oracle import enumerate_rows, row_gpu_loads, row_is_valid, row_max_load
from tests.strategies import DYADIC, SMALL, TOKENS, instances, rows_of_slots

# 4 experts on 4 GPUs x 2 slots; hierarchical: groups {0, 1} and {2, 3}, one on each of 2 nodes.
GLOBAL = Deployment(4, 8)
HIERARCHICAL = Deployment(4, 8, num_nodes=2, num_groups=2)
VALID = [0, 1, 1, 0, 2, 3, 3, 2]


def broken_rules(row, deployment: Deployment, num_experts: int = 4) -> set[str]:
    plan = Plan([row], deployment, num_experts)
    broken = {rule.__name__ for rule in RULES if list(rule(plan))}
    assert bool(broken) == bool(verify(plan))
    return broken


def damaged(**slots: int) -> list[int]:
    """The valid row with some slots changed: ``damaged(s0=3)`` puts expert 3 into slot 0."""
    row = list(VALID)
    for name, expert in slots.items():
        row[int(name[1:])] = expert
    return row


@pytest.mark.parametrize("deployment", [GLOBAL, HIERARCHICAL])
def test_a_valid_plan_breaks_no_rule(deployment):
    assert broken_rules(VALID, deployment) == set()
    assert verify(Plan([VALID, VALID], deployment, 4)) == []


@pytest.mark.parametrize("deployment", [GLOBAL, HIERARCHICAL])
def test_an_empty_slot_is_named(deployment):
    assert broken_rules(damaged(s3=-1), deployment) == {"every_slot_is_filled"}
    (violation,) = verify(Plan([VALID, damaged(s3=-1)], deployment, 4, layer_ids=(3, 5)))
    assert violation == "layer 5: slot 3 is empty (-1)"


@pytest.mark.parametrize("deployment", [GLOBAL, HIERARCHICAL])
def test_an_id_that_is_no_expert_is_named(deployment):
    assert broken_rules(damaged(s3=4), deployment) == {"every_id_is_an_expert"}
    (violation,) = verify(Plan([damaged(s3=4)], deployment, 4))
    assert violation == "layer 0: slot 3 holds expert 4, ids end at 3"


def test_an_expert_without_a_replica_is_named():
    # Expert 1 is replaced by 2 and 3, which are new to their GPUs.
    assert broken_rules(damaged(s1=2, s2=3), GLOBAL) == {"every_expert_is_placed"}
    assert verify(Plan([damaged(s1=2, s2=3)], GLOBAL, 4)) == ["layer 0: expert 1 has no replica"]


def test_an_expert_without_a_replica_is_named_under_the_hierarchical_policy():
    # Two copies of expert 0 on a GPU are allowed here, so that only the missing expert 1 is wrong.
    deployment = Deployment(4, 8, num_nodes=2, num_groups=2, distinct=False)
    assert broken_rules(damaged(s1=0, s2=0), deployment) == {"every_expert_is_placed"}


@pytest.mark.parametrize("policy", ["global", "hierarchical"])
def test_two_copies_on_a_gpu_break_distinct_replicas_only(policy):
    deployment = Deployment(4, 8, 2, 2, policy)
    assert broken_rules(damaged(s2=0), deployment) == {"replicas_are_spread"}
    assert verify(Plan([damaged(s2=0)], deployment, 4)) == ["layer 0: GPU 1 holds expert 0 more than once"]
    assert broken_rules(damaged(s2=0), Deployment(4, 8, 2, 2, policy, distinct=False)) == set()


def test_doubled_replicas_are_refused_with_the_way_to_allow_them():
    with pytest.raises(InvalidPlanError, match=r"more than once; distinct=False allows that .*--no-distinct") as info:
        require_valid(Plan([damaged(s2=0)], GLOBAL, 4))
    assert info.value.violations == ("layer 0: GPU 1 holds expert 0 more than once",)
    # What is wrong in another way too would still be: expert 1 has no replica.
    with pytest.raises(InvalidPlanError, match=r"\(and 2 more\)$") as info:
        require_valid(Plan([damaged(s1=0, s2=0)], GLOBAL, 4))
    assert info.value.way_out == ""


def test_a_group_on_two_nodes_is_spread_and_one_too_many_for_the_other_node():
    # Expert 0 of group 0, at home on node 0, gets a replica on node 1.
    assert broken_rules(damaged(s4=0), HIERARCHICAL) == {
        "every_group_stays_on_one_node",
        "every_node_takes_its_share_of_groups",
    }
    assert "layer 0: group 0 is spread over nodes 0, 1" in verify(Plan([damaged(s4=0)], HIERARCHICAL, 4))
    assert broken_rules(damaged(s4=0), GLOBAL) == set()


def test_a_group_of_one_expert_can_be_spread_too():
    # Groups {0}, {1}, {2}, {3}, two per node: node 1 holds 2 and 3 and a replica of 1, so three groups.
    deployment = Deployment(4, 8, num_nodes=2, num_groups=4)
    assert broken_rules(damaged(s4=1), deployment) == {
        "every_group_stays_on_one_node",
        "every_node_takes_its_share_of_groups",
    }


def test_a_group_may_be_spread_while_every_node_holds_its_share():
    # Node 0 holds groups 0 and 1, node 1 holds groups 1 and 3; group 2 is nowhere.
    deployment = Deployment(4, 8, num_nodes=2, num_groups=4)
    assert broken_rules([0, 1, 1, 0, 1, 3, 3, 1], deployment) == {
        "every_expert_is_placed",
        "every_group_stays_on_one_node",
    }


def test_a_node_with_more_than_its_share_of_groups_is_named():
    # Six experts of one group each on 2 nodes: node 0 takes four groups, node 1 two, nobody is spread.
    deployment = Deployment(4, 8, num_nodes=2, num_groups=6)
    row = [0, 1, 2, 3, 4, 5, 5, 4]
    assert broken_rules(row, deployment, 6) == {"every_node_takes_its_share_of_groups"}
    assert verify(Plan([row], deployment, 6)) == [
        "layer 0: node 0 holds 4 groups, its share is 3",
        "layer 0: node 1 holds 2 groups, its share is 3",
    ]


def test_a_copied_and_a_foreign_expert_break_both_rules_of_their_own():
    # Expert 0 twice on GPU 1, and on node 1.
    assert broken_rules(damaged(s2=0, s4=0), HIERARCHICAL) == {
        "replicas_are_spread",
        "every_group_stays_on_one_node",
        "every_node_takes_its_share_of_groups",
    }


def test_empty_slots_are_not_copies_of_each_other():
    assert broken_rules(damaged(s0=-1, s1=-1), GLOBAL) == {"every_slot_is_filled"}


def test_experts_that_do_not_divide_into_groups_are_one_violation():
    (violation,) = verify(Plan([VALID], Deployment(4, 8, num_nodes=2, num_groups=4), 6))
    assert "6 experts" in violation
    assert "4 groups" in violation


def test_every_violation_is_listed():
    violations = verify(Plan([damaged(s0=-1, s2=9), VALID, damaged(s0=-5)], GLOBAL, 4))
    assert [violation.split(":")[0] for violation in violations] == ["layer 0", "layer 2", "layer 0"]


def test_require_valid_returns_the_plan_or_raises_all_violations():
    plan = Plan([VALID], GLOBAL, 4)
    assert require_valid(plan) is plan
    with pytest.raises(
        InvalidPlanError, match=r"^the file is not valid: .*slot 0 is empty.* \(and 1 more\)$"
    ) as caught:
        require_valid(Plan([damaged(s0=-1, s2=9)], GLOBAL, 4), "the file")
    assert len(caught.value.violations) == 2


@examples(30)
@given(instances(max_experts=4, max_gpus=3, max_slots=6, kinds=(SMALL,)))
def test_every_enumerated_valid_row_is_verified(instance):
    rows = list(islice(enumerate_rows(instance), 50))
    assert verify(Plan(rows, instance.deployment, instance.num_experts)) == []


@examples(60)
@given(st.data())
def test_verify_agrees_with_the_problem_statement_on_any_row(data):
    instance = data.draw(instances(kinds=(SMALL,)))
    row = list(data.draw(rows_of_slots(instance)))
    assert verify(Plan([row], instance.deployment, instance.num_experts)) == []
    for _ in range(data.draw(st.integers(0, 3))):
        slot = data.draw(st.integers(0, len(row) - 1))
        if data.draw(st.booleans()):
            row[slot] = data.draw(st.integers(-1, instance.num_experts))
        else:
            other = data.draw(st.integers(0, len(row) - 1))
            row[slot], row[other] = row[other], row[slot]
    assert (not verify(Plan([row], instance.deployment, instance.num_experts))) == row_is_valid(tuple(row), instance)


@given(st.data())
def test_max_loads_are_the_largest_of_the_gpu_loads(data):
    instance = data.draw(instances(max_windows=3))
    row = data.draw(rows_of_slots(instance))
    assert list(max_loads(row, instance)) == [max(loads) for loads in gpu_loads(row, instance)]


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1.0, 1e300])
def test_max_loads_are_exact_where_floats_cannot_tell_the_gpus_apart(scale):
    # GPUs 0 and 1 differ by less than floats hold; GPU 2 of the second window is the hottest of very small numbers.
    unit = Fraction(scale)
    weights = ((2**80 + 1, 2**80, 3, 3), (1, 2, 4, 8))
    instance = Instance(weights, unit, Deployment(4, 4))
    assert max_loads([1, 0, 2, 3], instance) == ((2**80 + 1) * unit, 8 * unit)
    tiny = Instance(((2**4000, 2**3999, 1, 1), (0, 0, 5, 7)), unit, Deployment(4, 4))
    assert max_loads([3, 1, 2, 0], tiny) == (2**4000 * unit, 7 * unit)


@examples(60)
@given(st.data())
def test_gpu_loads_are_those_of_the_definition(data):
    instance = data.draw(instances(min_windows=1, max_windows=3))
    row = data.draw(rows_of_slots(instance))
    loads = gpu_loads(row, instance)
    assert loads == [row_gpu_loads(row, instance, window) for window in range(instance.num_windows)]
    assert max_loads(row, instance) == tuple(row_max_load(row, instance, k) for k in range(instance.num_windows))
    assert all(isinstance(load, Fraction) for window in loads for load in window)
    # Equal shares of an expert sum to its load: GPU loads sum to the total load.
    assert [sum(window) for window in loads] == [sum(window) * instance.unit for window in instance.weights]


def test_two_replicas_share_the_load_equally():
    # Expert 0 (load 7) on both GPUs, 3.5 each; experts 1 and 2 add 1 and 2.
    instance = Instance.from_loads([7, 1, 2], Deployment(2, 4))
    assert gpu_loads([0, 1, 0, 2], instance) == [[Fraction(9, 2), Fraction(11, 2)]]
    assert max_loads(np.array([0, 1, 0, 2]), instance) == (Fraction(11, 2),)


def test_two_replicas_on_one_gpu_carry_the_whole_load_there():
    instance = Instance.from_loads([7, 1, 2], Deployment(2, 4, distinct=False))
    assert gpu_loads([0, 0, 1, 2], instance) == [[7, 3]]


@examples(40)
@given(st.data())
def test_objectives_are_those_of_the_definition(data):
    instance = data.draw(instances(min_windows=1, max_windows=4, kinds=(SMALL, TOKENS, DYADIC)))
    row = data.draw(rows_of_slots(instance))
    gpus = instance.deployment.num_gpus
    imbalances = []
    for window, weights in enumerate(instance.weights):
        if sum(weights):
            imbalances.append(row_max_load(row, instance, window) / (sum(weights) * instance.unit / gpus))
    imbalances = imbalances or [Fraction(1)]
    assert objective_value(row, instance, "mean") == sum(imbalances) / len(imbalances)
    assert objective_value(row, instance, "worst") == max(imbalances)
    total = [sum(row_gpu_loads(row, instance, k)[gpu] for k in range(instance.num_windows)) for gpu in range(gpus)]
    assert objective_value(row, instance, "total") == max(total)


def test_windows_without_load_are_left_out():
    # Window 0: 3 and 1, mean 2, imbalance 3/2. Window 1 has no load. Window 2: 1 and 1, imbalance 1.
    instance = Instance.from_loads([[3, 1], [0, 0], [1, 1]], Deployment(2, 2))
    assert objective_value([0, 1], instance, "mean") == Fraction(5, 4)
    assert objective_value([0, 1], instance, "worst") == Fraction(3, 2)
    assert objective_value([0, 1], instance, "total") == 4


def test_a_layer_without_load_has_imbalance_one():
    instance = Instance.from_loads([[0, 0], [0, 0]], Deployment(2, 2))
    assert objective_value([0, 1], instance, "mean") == 1
    assert objective_value([0, 1], instance, "worst") == 1
    assert objective_value([0, 1], instance, "total") == 0


@given(st.data())
def test_one_window_has_one_imbalance(data):
    instance = data.draw(instances())
    row = data.draw(rows_of_slots(instance))
    mean = instance.mean_loads[0]
    imbalance = max_loads(row, instance)[0] / mean if mean else 1
    assert objective_value(row, instance, "mean") == objective_value(row, instance, "worst") == imbalance >= 1
    assert objective_value(row, instance, "total") == max_loads(row, instance)[0]


def test_an_unknown_objective_is_refused_with_the_known_ones():
    instance = Instance.from_loads([1, 1], Deployment(2, 2))
    with pytest.raises(InvalidArgumentError, match=r"'auto'.*total, mean, worst"):
        objective_value([0, 1], instance, "auto")


@given(st.data())
def test_names_of_gpus_nodes_and_slots_change_neither_validity_nor_value(data):
    instance = data.draw(instances())
    row = np.array(data.draw(rows_of_slots(instance)))
    deployment = instance.deployment
    by_node = row.reshape(deployment.binding_nodes, deployment.gpus_per_node, deployment.slots_per_gpu)
    by_node = by_node[data.draw(st.permutations(range(deployment.binding_nodes)))]
    by_node = by_node[:, data.draw(st.permutations(range(deployment.gpus_per_node)))]
    by_node = by_node[:, :, data.draw(st.permutations(range(deployment.slots_per_gpu)))]
    renamed = by_node.ravel()
    assert verify(Plan(renamed[np.newaxis], deployment, instance.num_experts)) == []
    assert sorted(gpu_loads(renamed.tolist(), instance)[0]) == sorted(gpu_loads(row.tolist(), instance)[0])
