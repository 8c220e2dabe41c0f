"""Joint greedy: replicas for what varies, placed for all windows at once by a narrow tree search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.heuristics.packing import pack
from eplb_opt.heuristics.pipeline import greedy, lpt_groups, place_groups
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.order import heaviest_first, lightest_first
from eplb_opt.kernels.window_values import mean_or_largest
from eplb_opt.objective import Objective, Windows

Slots = NDArray[np.int64]

# Replica counts follow the mean window plus so many standard deviations: not at all, or the upper quartile of a normal.
_DEVIATIONS = (0.0, 0.674)
# Partial tables that are kept from one replica to the next.
_WIDTH = 4
# Random nodes of the groups to exchange from.
_RESTARTS = 10
# Loads as integers, for exact replica counts.
_STEPS = 1e9


def joint_plan(instance: Instance, objective: Objective) -> Slots:
    """`joint_greedy` for the windows that an objective makes cool; the greedy policy for a layer without load."""
    instance.deployment.require_equal_slots("the joint heuristic is")
    if not any(instance.loaded_windows):
        return greedy(instance.total())
    return joint_greedy(instance, objective.windows(instance))


def joint_greedy(instance: Instance, windows: Windows, node_of_group: Ints | None = None) -> Slots:
    """A plan for all windows of an windows at once: slot -> expert, shape ``(slots,)``.

    Groups go to the nodes given, or by exchanges that cool the hottest nodes of all windows. Replica counts are those
    of the greedy policy for the mean window plus a multiple of the standard deviation over windows. Then each replica,
    heaviest first, goes to the GPU that leaves the windows's value the least, `_WIDTH` partial tables at a time. The
    best of one plan for each multiple. Like FlashLB, a policy for several windows of vLLM-Ascend:
    https://github.com/vllm-project/vllm-ascend.
    """
    spread = np.sqrt(windows.shares @ (windows.loads - windows.mean) ** 2)
    plans = [_plan(instance, windows, windows.mean + times * spread, node_of_group) for times in _DEVIATIONS]
    return min(plans, key=lambda slots: windows.value(slots, instance))


def _plan(instance: Instance, windows: Windows, loads: NDArray[np.float64], node_of_group: Ints | None) -> Slots:
    deployment = instance.deployment
    expected = Instance.from_loads(np.ceil(loads * _STEPS).astype(np.int64), deployment)
    shares = np.zeros_like(windows.shares) if windows.worst else windows.shares

    def place(experts: NDArray[np.int64], counts: Ints) -> Ints:
        w = loads[experts]
        num_gpus, size, distinct = deployment.gpus_per_node, deployment.slots_per_gpu, deployment.distinct
        window_loads = np.ascontiguousarray(windows.loads[:, experts].T)
        table = pack_jointly(window_loads, w, counts, shares, num_gpus, size, distinct, _WIDTH)
        return table if table.size else pack(w, counts, num_gpus, size, distinct)

    nodes = _groups(expected, windows, shares) if node_of_group is None else node_of_group
    return place_groups(expected, nodes, place)


def _groups(expected: Instance, windows: Windows, shares: NDArray[np.float64]) -> Ints:
    """Node of each group: the best of exchanges from the greedy one and from random ones."""
    deployment = expected.deployment
    first = lpt_groups(expected)
    if deployment.binding_nodes == 1:
        return first
    totals = windows.loads.reshape(len(windows.loads), deployment.binding_groups, -1).sum(axis=2).T.copy()
    random = np.random.default_rng(0)
    starts = [first, *(random.permutation(first) for _ in range(_RESTARTS))]
    found = [exchange_jointly(totals, shares, start, deployment.binding_nodes) for start in starts]
    nodes: Ints = min(found, key=lambda result: result[0])[1]
    return nodes


@compiled
def exchange_jointly(totals: Floats, shares: Floats, node_of_group: Ints, num_nodes: int) -> tuple[float, Ints]:
    """Exchange groups of different nodes while that lowers the value of the node loads; the value, and the nodes.

    ``totals[g, k]`` is the load of group g in window k; the value is that of `pack_jointly`, with nodes for GPUs.
    """
    # Loops rather than arrays, in all compiled code of this file: these take the compiler less.
    nodes = node_of_group.copy()
    num_windows = totals.shape[1]
    load = np.zeros((num_nodes, num_windows))
    for group in range(nodes.size):
        for k in range(num_windows):
            load[nodes[group], k] += totals[group, k]
    value = _value(load, shares)
    top = np.empty(num_windows)
    # Each exchange lowers the value, so it ends; the bound on the rounds is for rounding errors.
    for _ in range(nodes.size * nodes.size):
        best, best_a, best_b = value * (1.0 - 1e-12), -1, -1
        hottest = _hottest(load)
        # The value stays as high as it is where both nodes are the hottest in no window.
        hot = np.zeros(num_nodes, dtype=np.bool_)
        for k in range(num_windows):
            hot[hottest[k, 0]] = True
        for a in range(nodes.size):
            for b in range(a):
                here, there = nodes[a], nodes[b]
                if here == there or not (hot[here] or hot[there]):
                    continue
                for k in range(num_windows):
                    more = totals[b, k] - totals[a, k]
                    top[k] = max(load[here, k] + more, load[there, k] - more)
                    for rank in range(3):
                        node = hottest[k, rank]
                        if node >= 0 and node != here and node != there:
                            top[k] = max(top[k], load[node, k])
                            break
                new = mean_or_largest(top, shares)
                if new < best:
                    best, best_a, best_b = new, a, b
        if best_a < 0:
            break
        for k in range(num_windows):
            more = totals[best_b, k] - totals[best_a, k]
            load[nodes[best_a], k] += more
            load[nodes[best_b], k] -= more
        nodes[best_a], nodes[best_b] = nodes[best_b], nodes[best_a]
        value = best
    return value, nodes


@compiled
def _hottest(load: Floats) -> Ints:
    """The three hottest nodes of each window, the first one first: one of them has no part in an exchange."""
    found = np.empty((load.shape[1], 3), dtype=np.int64)
    for k in range(load.shape[1]):
        for place in range(3):
            found[k, place] = -1
        for node in range(load.shape[0]):
            place = 3
            while place > 0 and (found[k, place - 1] < 0 or load[node, k] > load[found[k, place - 1], k]):
                place -= 1
                if place < 2:
                    found[k, place + 1] = found[k, place]
            if place < 3:
                found[k, place] = node
    return found


@compiled
def _value(load: Floats, shares: Floats) -> float:
    top = np.zeros(load.shape[1])
    for node in range(load.shape[0]):
        for k in range(top.size):
            top[k] = max(top[k], load[node, k])
    return mean_or_largest(top, shares)


@compiled
def pack_jointly(
    windows: Floats,
    w: Floats,
    counts: Ints,
    shares: Floats,
    num_gpus: int,
    slots_per_gpu: int,
    distinct: bool,
    width: int,
) -> Ints:
    """Replicas to GPUs with equal numbers of slots, in the order of their loads by `w`; empty if it gets stuck.

    ``windows[e, k]`` is the load of expert e in window k. Of all ways to place the next replica in one of `width`
    partial tables, those go on that have the least weighted mean over windows of the hottest GPU's load, or where
    `shares` are 0 the least load of the hottest window; of equal ones, those with the coldest GPU by `w`.
    """
    num_windows = windows.shape[1]
    tables = np.zeros((width, num_gpus, slots_per_gpu), dtype=np.int64)
    used = np.zeros((width, num_gpus), dtype=np.int64)
    load = np.zeros((width, num_gpus, num_windows))
    heat = np.zeros((width, num_gpus))
    alive = 1
    value, shared, share = np.empty(width * num_gpus), np.empty(w.size), np.empty(num_windows)
    for expert in range(w.size):
        shared[expert] = w[expert] / counts[expert]
    for expert in heaviest_first(shared):
        for k in range(num_windows):
            share[k] = windows[expert, k] / counts[expert]
        for _ in range(counts[expert]):
            for child in range(value.size):
                value[child] = np.inf
            for state in range(alive):
                _value_children(tables, used, load, heat, shares, share, state, expert, distinct, value)
            children, alive = lightest_first(value), 0
            while alive < min(width, value.size) and value[children[alive]] < np.inf:
                alive += 1
            if alive == 0:
                return np.empty((0, slots_per_gpu), dtype=np.int64)
            _follow(children[:alive], tables, used, load, heat)
            for state in range(alive):
                gpu = children[state] % num_gpus
                tables[state, gpu, used[state, gpu]] = expert
                used[state, gpu] += 1
                for k in range(num_windows):
                    load[state, gpu, k] += share[k]
                heat[state, gpu] += shared[expert]
    table: Ints = tables[0]
    return table


@compiled
def _follow(children: Ints, tables: Ints, used: Ints, load: Floats, heat: Floats) -> None:
    """Each partial table becomes the one that a child comes from."""
    num_gpus = used.shape[1]
    old_tables, old_used, old_load, old_heat = tables.copy(), used.copy(), load.copy(), heat.copy()
    for state in range(children.size):
        parent = children[state] // num_gpus
        for gpu in range(num_gpus):
            used[state, gpu], heat[state, gpu] = old_used[parent, gpu], old_heat[parent, gpu]
            for place in range(used[state, gpu]):
                tables[state, gpu, place] = old_tables[parent, gpu, place]
            for k in range(load.shape[2]):
                load[state, gpu, k] = old_load[parent, gpu, k]


@compiled
def _value_children(
    tables: Ints,
    used: Ints,
    load: Floats,
    heat: Floats,
    shares: Floats,
    share: Floats,
    state: Index,
    expert: Index,
    distinct: bool,
    value: Floats,
) -> None:
    """The value of a partial table with one more replica, for each GPU it may go to."""
    num_gpus, num_windows = load.shape[1], load.shape[2]
    top = np.zeros(num_windows)
    for gpu in range(num_gpus):
        for k in range(num_windows):
            top[k] = max(top[k], load[state, gpu, k])
    for gpu in range(num_gpus):
        if used[state, gpu] == tables.shape[2]:
            continue
        held = False
        for place in range(used[state, gpu]):
            held |= tables[state, gpu, place] == expert
        if distinct and held:
            continue
        mean = largest = 0.0
        for k in range(num_windows):
            new = max(top[k], load[state, gpu, k] + share[k])
            mean += shares[k] * new
            largest = max(largest, new)
        # Small enough to decide between equal values only.
        value[state * num_gpus + gpu] = (mean if shares[0] > 0.0 else largest) + 1e-9 * heat[state, gpu]
