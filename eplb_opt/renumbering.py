"""Renumbering: the same plan with its GPUs in another order, so that the fewest experts move from an old plan.

What may change places without a change of any value, the rule of the dispatch says (`Rule.alike`): mostly GPUs, within
a node and, as nodes are alike, with their whole node; where no groups are bound to nodes, all of them. Which GPU takes
over which contents is an assignment problem on the experts that two GPUs have in common. GPUs with other numbers of
slots or another speed are not alike: among GPUs that differ only those of one kind in one node change places.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.failure_domains import domain_gpus
from eplb_opt.moves import Ints, different_experts, keep_slots, rows_before
from eplb_opt.plan import Plan


def renumbered(old: Plan, new: Plan) -> Plan:
    """The new plan with its GPUs renumbered, layer by layer, so that `old` leads to it with the fewest moves.

    GPUs exchange what they hold, so that every value, bound and certificate stays what it is. An expert that stays on
    its GPU stays in its slot.

    Raises
    ------
    InvalidPlanError
        Plans that do not fit each other, see `eplb_opt.moves.rows_before`.
    """
    return replace(new, physical_to_logical=renumber(new.physical_to_logical, rows_before(old, new), new.deployment))


def renumbered_apart(old: Plan, new: Plan) -> Plan:
    """The same for a new plan that survives the loss of a domain (`eplb_opt.failure_domains`): so does what is made.

    Where domains are nodes, their GPUs stay together: nodes change places as a whole.
    """
    deployment = new.deployment
    if domain_gpus(deployment) == 1 or rule_of(deployment).alike(deployment) != "gpus":
        return renumbered(old, new)
    # Under this dispatch, too, only whole nodes are alike.
    by_node = replace(deployment, dispatch="nearest")
    return replace(new, physical_to_logical=renumber(new.physical_to_logical, rows_before(old, new), by_node))


def renumber(rows: Ints, old: Ints, deployment: Deployment) -> Ints:
    """`rows` with GPUs and slots permuted, layer by layer, so that the fewest experts move from `old`.

    Both of shape ``(layers, slots)``; slots of `old` without an expert are negative. An expert that stays on its GPU
    stays in its slot. Max loads, counts and the rules that a plan obeys stay as they are. Optimal among what
    `Rule.alike` allows: experts in common are summed over GPUs, so that pairs of nodes are solved one by one, and then
    the nodes. Less than a millisecond a layer for up to 320 GPUs.
    """
    if not len(rows):
        return rows
    alike = rule_of(deployment).alike(deployment)
    # What is behind the slots of GPUs that have fewer is the same in both, and stays.
    filler = int(max(rows.max(), old.max())) + 1
    new, before = (deployment.gpus.table(table, filler) for table in (rows, old))
    placed = new.copy()
    for layer, (contents, held) in enumerate(zip(new, before, strict=True)):
        if alike == "slots" or (alike == "nodes" and not deployment.alike):
            break
        common = experts_in_common(contents, held)
        if not deployment.alike:
            places = _places_of_each_kind(common, deployment)
        elif alike == "nodes":
            places = _whole_nodes(common, deployment.num_nodes)
        else:
            places = _places(common, deployment.binding_nodes)
        placed[layer, places] = contents
    kept = keep_slots(placed.reshape(len(rows), -1), before.reshape(len(rows), -1), deployment.num_gpus)
    return deployment.gpus.rows(kept)


def experts_in_common(contents: Ints, held: Ints) -> Ints:
    """Experts that need not move if GPU i's `contents` went to GPU j, which has `held`: shape ``(gpus, gpus)``.

    Each counts once, however many copies of it the two have: see `eplb_opt.moves`.
    """
    num_gpus = len(contents)
    (new, ours), (old, theirs) = (different_experts(table) for table in (contents, held))
    order = np.argsort(theirs, kind="stable")
    first, last = (np.searchsorted(theirs, ours, side=side, sorter=order) for side in ("left", "right"))
    number = last - first
    # All pairs of GPUs with an expert in common: those of entry i are next to each other, from first[i] on.
    match = np.arange(number.sum()) + np.repeat(first - np.cumsum(number) + number, number)
    pairs = np.repeat(new, number) * num_gpus + old[order[match]]
    return np.bincount(pairs, minlength=num_gpus**2).reshape(num_gpus, num_gpus)


def assignment(worth: Ints) -> Ints:
    """The column of each row of a square matrix of numbers of at least 0, each column once, with the largest sum.

    Most pairs are worth nothing and are left out: each row has a column of its own that it falls back on, and each
    column a row, and these are matched with each other, along the pairs, where their owners are.
    """
    size = len(worth)
    row, column = np.nonzero(worth)
    if not row.size:
        return np.arange(size, dtype=np.int64)
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

    every, most = np.arange(size), int(worth.max())
    problem = SimpleLinearSumAssignment()
    problem.add_arcs_with_cost(row, column, most - worth[row, column])
    problem.add_arcs_with_cost(every, size + every, np.full(size, most))
    problem.add_arcs_with_cost(size + every, every, np.zeros(size, dtype=np.int64))
    problem.add_arcs_with_cost(size + column, size + row, np.zeros(row.size, dtype=np.int64))
    # There is always a matching, and costs are small: nothing is infeasible or out of range.
    problem.solve()
    chosen = np.array([problem.right_mate(index) for index in range(size)], dtype=np.int64)
    chosen[chosen >= size] = np.setdiff1d(every, chosen)
    return chosen


def _places(common: Ints, num_nodes: int) -> Ints:
    """The GPU that takes over each GPU's contents."""
    size = len(common) // num_nodes
    blocks = common.reshape(num_nodes, size, num_nodes, size).transpose(0, 2, 1, 3)
    inside = np.tile(np.arange(size, dtype=np.int64), (num_nodes, num_nodes, 1))
    for new, old in np.argwhere(blocks.any(axis=(2, 3))):
        inside[new, old] = assignment(blocks[new, old])
    worth = np.take_along_axis(blocks, inside[..., np.newaxis], axis=3).sum(axis=(2, 3))
    node = assignment(worth)
    return (node[:, np.newaxis] * size + inside[np.arange(num_nodes), node]).ravel()


def _places_of_each_kind(common: Ints, deployment: Deployment) -> Ints:
    """The same where GPUs change places only with those of their node that have the same slots and speed."""
    gpus, places = deployment.gpus, np.arange(len(common), dtype=np.int64)
    kinds: dict[object, list[int]] = {}
    for gpu in range(len(common)):
        node = gpu // deployment.gpus_per_node
        kinds.setdefault((node, gpus.slots[gpu], gpus.speed(gpu)), []).append(gpu)
    for alike in map(np.array, kinds.values()):
        places[alike] = alike[assignment(common[np.ix_(alike, alike)])]
    return places


def _whole_nodes(common: Ints, num_nodes: int) -> Ints:
    """The same where nodes change places and the GPUs of each keep their order."""
    size = len(common) // num_nodes
    inside = np.arange(size)
    worth = common.reshape(num_nodes, size, num_nodes, size)[:, inside, :, inside].sum(axis=0)
    return (assignment(worth)[:, np.newaxis] * size + inside).ravel()
