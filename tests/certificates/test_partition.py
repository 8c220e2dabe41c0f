"""Partition: every set of groups that a bound rests on needs its argument."""

from fractions import Fraction

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests.certificates.proving import proves


def test_a_partition_needs_every_set_that_it_rests_on():
    # Two nodes of two groups each: 10 + 1 against 9 + 2 is best, so that one of four sets with less than 11 is missing.
    loads, deployment = [10, 9, 2, 1], Deployment(2, 4, 2, 4, "hierarchical")
    instance = Instance.from_loads(loads, deployment)
    sets = [[list(pair), {"argument": "mean"}] for pair in ((0, 1), (0, 2), (0, 3), (1, 2))]
    argument = {"argument": "partition", "sets": sets}
    assert proves(argument, 11, instance)
    assert not proves(argument, Fraction(111, 10), instance)
    # Any of these two nodes is in a partition of its own.
    assert proves({"argument": "partition", "sets": sets[:3]}, 11, instance)
    assert not proves({"argument": "partition", "sets": sets[:2]}, 11, instance)
    assert not proves({"argument": "partition", "sets": [[[0, 0], {"argument": "mean"}]]}, 11, instance)


def test_an_argument_about_a_higher_bound_of_a_node_holds_for_a_lower_one():
    # Two nodes of one GPU with two slots each: 6 + 5 on one of them, or 6 + 1 or 5 + 1 with the third on the other.
    instance = Instance.from_loads([6, 5, 1, 1], Deployment(2, 4, 2, 4, "hierarchical"))
    sets = [[[0, other], {"argument": "mean"}] for other in (1, 2, 3)]
    assert proves({"argument": "partition", "sets": sets}, 7, instance)

    def about(bound):
        return proves({"argument": "partition", "sets": [[s, a | {"bound": bound}] for s, a in sets]}, 7, instance)

    assert about("7")
    # More than the nodes carry, less than is to be shown, and no number.
    assert not about("8") and not about("6") and not about("x")
