"""GPUs that differ, by the definition: deployments, every placement, and what a placement is worth.

Shares no code with the package: slots of a GPU are listed one by one, and what a source asks of each replica is a
fraction. Loads are tokens / speed.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance

SPEEDS = st.sampled_from(["1", "1", "7/10", "1/2", "2", "4/3", "0.35"])


@st.composite
def different(draw, max_gpus=4, max_slots=6, dispatches=("even",)):
    """A deployment whose GPUs differ in slots or speeds or both, and a number of experts that it has room for."""
    nodes = draw(st.sampled_from([1, 1, 2]))
    gpus = nodes * draw(st.integers(1 if nodes > 1 else 2, max_gpus // nodes))
    most = max_slots // nodes
    node = draw(st.lists(st.integers(1, 3), min_size=gpus // nodes, max_size=gpus // nodes))
    while sum(node) > most:
        node[node.index(max(node))] -= 1
    slots = [size for _ in range(nodes) for size in draw(st.permutations(node))]
    speeds = draw(st.none() | st.lists(SPEEDS, min_size=gpus, max_size=gpus))
    distinct = draw(st.booleans())
    experts = nodes * draw(st.integers(max(node) if distinct else 1, sum(node)))
    groups = nodes * draw(st.sampled_from([1, experts // nodes]))
    deployment = Deployment(
        gpus,
        sum(slots),
        nodes,
        groups,
        draw(st.sampled_from(["auto", "global"])),
        distinct,
        draw(st.sampled_from(dispatches)),
        slots,
        speeds,
    )
    if deployment.hierarchical:
        return deployment, experts
    # All experts may be anywhere: a GPU holds enough of them.
    return deployment, experts


def gpu_of_slot(deployment: Deployment) -> list[int]:
    """GPU of each slot, counted one by one."""
    each = deployment.num_slots // deployment.num_gpus
    sizes = deployment.gpu_slots or [each] * deployment.num_gpus
    return [gpu for gpu, size in enumerate(sizes) for _ in range(size)]


def speed_of(gpu: int, deployment: Deployment) -> Fraction:
    """Speed of a GPU."""
    return Fraction(1) if deployment.gpu_speeds is None else deployment.gpu_speeds[gpu]


def rows_of(deployment: Deployment, num_experts: int) -> Iterator[tuple[int, ...]]:
    """Every valid row of slots."""
    for row in product(range(num_experts), repeat=deployment.num_slots):
        if is_valid(row, deployment, num_experts):
            yield row


def is_valid(row: Sequence[int], deployment: Deployment, num_experts: int) -> bool:
    """Whether a row obeys the rules, condition by condition."""
    if set(row) != set(range(num_experts)):
        return False
    held = list(zip(gpu_of_slot(deployment), row, strict=True))
    if deployment.distinct and len(set(held)) < len(held):
        return False
    if not deployment.hierarchical:
        return True
    per_node, per_group = deployment.num_gpus // deployment.num_nodes, num_experts // deployment.num_groups
    homes = {(gpu // per_node, expert // per_group) for gpu, expert in held}
    share = deployment.num_groups // deployment.num_nodes
    nodes = [node for node, _ in homes]
    return len(homes) == deployment.num_groups and all(nodes.count(n) == share for n in range(deployment.num_nodes))


def gpu_loads(row: Sequence[int], instance: Instance, window: int = 0) -> list[Fraction]:
    """Tokens / speed of each GPU, source by source."""
    deployment = instance.deployment
    gpu_of = gpu_of_slot(deployment)
    found = [Fraction(0)] * deployment.num_gpus
    for expert in range(instance.num_experts):
        slots = [slot for slot, held in enumerate(row) if held == expert]
        load = instance.weights[window][expert] * instance.unit / deployment.num_gpus
        for source in range(deployment.num_gpus):
            for slot in _asked(slots, source, gpu_of, deployment):
                found[gpu_of[slot[0]]] += load * slot[1]
    return [load / speed_of(gpu, deployment) for gpu, load in enumerate(found)]


def _asked(slots: list[int], source: int, gpu_of: list[int], deployment: Deployment) -> list[tuple[int, Fraction]]:
    all_alike = [(slot, Fraction(1, len(slots))) for slot in slots]
    if deployment.dispatch == "by-rank":
        return [(slots[source % len(slots)], Fraction(1))]
    if deployment.dispatch == "nearest":
        here = [slot for slot in slots if gpu_of[slot] == source]
        size = deployment.num_gpus // deployment.num_nodes
        near = [slot for slot in slots if gpu_of[slot] // size == source // size]
        if here:
            return [(here[0], Fraction(1))]
        if near and len(near) < len(slots):
            return [(near[0], Fraction(1))]
    return all_alike


def objectives(row: Sequence[int], instance: Instance) -> dict[str, Fraction]:
    """Total, mean and worst of a row."""
    deployment, sums = instance.deployment, [sum(window) for window in instance.weights]
    speed = sum(speed_of(gpu, deployment) for gpu in range(deployment.num_gpus))
    hottest = [max(gpu_loads(row, instance, k)) for k in range(instance.num_windows)]
    ratios = [top / (total * instance.unit / speed) for top, total in zip(hottest, sums, strict=True) if total] or [
        Fraction(1)
    ]
    total = max(map(sum, zip(*(gpu_loads(row, instance, k) for k in range(instance.num_windows)), strict=True)))
    return {"total": total, "mean": sum(ratios) / len(ratios), "worst": max(ratios)}


def optima(instance: Instance) -> dict[str, Fraction]:
    """The least of each objective over every valid row."""
    found = [objectives(row, instance) for row in rows_of(instance.deployment, instance.num_experts)]
    return {kind: min(values[kind] for values in found) for kind in ("total", "mean", "worst")}
