"""Dispatch word for word: which replica each source asks, one source after the other, in fractions.

Shares no code with the package: replicas are lists of slots, and what a source asks of each is a fraction. Of the
optimal split it knows what no split can be cooler than, and which loads of GPUs some split has.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance

# For each source and each of its experts: what it asks of which slot. Parts of a source sum to 1.
Asked = dict[int, Fraction]


def slots_of(row: Sequence[int], expert: int) -> list[int]:
    """Slots that hold an expert, increasing."""
    return [slot for slot, held in enumerate(row) if held == expert]


def gpu_of(slot: int, deployment: Deployment) -> int:
    """GPU of a slot."""
    return slot // (deployment.num_slots // deployment.num_gpus)


def node_of(gpu: int, deployment: Deployment) -> int:
    """Node of a GPU: nodes are equal blocks of GPUs, whatever the policy."""
    return gpu // (deployment.num_gpus // deployment.num_nodes)


def nearest(replicas: Sequence[int], source: int, deployment: Deployment) -> int | None:
    """The slot that a source asks under ``"nearest"``, or ``None`` where it asks any."""
    if len(replicas) == 1:
        return replicas[0]
    on_gpu = [slot for slot in replicas if gpu_of(slot, deployment) == source]
    if on_gpu:
        return on_gpu[0]
    home = node_of(source, deployment)
    on_node = [slot for slot in replicas if node_of(gpu_of(slot, deployment), deployment) == home]
    if on_node and len(on_node) < len(replicas):
        return on_node[0]
    return None


def asked(row: Sequence[int], expert: int, source: int, deployment: Deployment) -> Asked:
    """What a source asks of the replicas of an expert, under a rule that draws nothing."""
    replicas = slots_of(row, expert)
    spread = {slot: Fraction(1, len(replicas)) for slot in replicas}
    if deployment.dispatch == "even":
        return spread
    if deployment.dispatch == "by-rank":
        return {replicas[source % len(replicas)]: Fraction(1)}
    if deployment.dispatch == "nearest":
        slot = nearest(replicas, source, deployment)
        return spread if slot is None else {slot: Fraction(1)}
    raise AssertionError(deployment.dispatch)


def drawn(rows: Sequence[Sequence[int]], num_experts: int, deployment: Deployment) -> list[list[list[int]]]:
    """The slot that each source asks of each expert in each layer, under ``"sglang-static"``.

    Every rank has a stream, and goes through all layers with it: where it is far from an expert, it deals the replicas
    to all ranks that are far, and takes what is its own.
    """
    table = [[[-1] * deployment.num_gpus for _ in range(num_experts)] for _ in rows]
    for rank in range(deployment.num_gpus):
        stream = random.Random(42)
        for layer, row in enumerate(rows):
            for expert in range(num_experts):
                replicas = slots_of(row, expert)
                slot = nearest(replicas, rank, deployment)
                if slot is None:
                    undecided = [
                        other for other in range(deployment.num_gpus) if nearest(replicas, other, deployment) is None
                    ]
                    rounds, rest = divmod(len(undecided), len(replicas))
                    dealt = replicas * rounds + stream.sample(replicas, k=rest)
                    stream.shuffle(dealt)
                    slot = dealt[undecided.index(rank)]
                table[layer][expert][rank] = slot
    return table


def asked_of_each(row: Sequence[int], num_experts: int, deployment: Deployment) -> list[list[Asked]]:
    """What each source asks, for each expert, under a rule that draws nothing."""
    sources = range(deployment.num_gpus)
    return [[asked(row, expert, source, deployment) for source in sources] for expert in range(num_experts)]


def as_asked(layer: Sequence[Sequence[int]]) -> list[list[Asked]]:
    """A layer that was `drawn`, in the form of `asked_of_each`."""
    return [[{slot: Fraction(1)} for slot in sources] for sources in layer]


def shares(table: Sequence[Sequence[Asked]], deployment: Deployment) -> list[Fraction]:
    """Share that each slot has of its expert's load: every source brings an equal part."""
    found = [Fraction(0)] * deployment.num_slots
    for sources in table:
        for parts in sources:
            for slot, part in parts.items():
                found[slot] += part / deployment.num_gpus
    return found


def gpu_loads(row: Sequence[int], of_slot: Sequence[Fraction], instance: Instance, window: int = 0) -> list[Fraction]:
    """Load of each GPU in tokens, where slots have these shares of their expert's load."""
    loads = [Fraction(0)] * instance.deployment.num_gpus
    for slot, (expert, share) in enumerate(zip(row, of_slot, strict=True)):
        loads[gpu_of(slot, instance.deployment)] += share * instance.weights[window][expert] * instance.unit
    return loads


def hottest(row: Sequence[int], instance: Instance, window: int = 0) -> Fraction:
    """Load of the hottest GPU in tokens, under a rule that draws nothing."""
    if instance.deployment.dispatch == "optimal":
        return best_split(row, instance, window)
    of_slot = shares(asked_of_each(row, instance.num_experts, instance.deployment), instance.deployment)
    return max(gpu_loads(row, of_slot, instance, window))


def cross_node_share(table: Sequence[Sequence[Asked]], instance: Instance, window: int = 0) -> Fraction:
    """Part of the load that is served on another node than its source's."""
    deployment, away, total = instance.deployment, Fraction(0), Fraction(0)
    for load, sources in zip(instance.weights[window], table, strict=True):
        for source, parts in enumerate(sources):
            for slot, part in parts.items():
                brought = part * load / deployment.num_gpus
                total += brought
                if node_of(gpu_of(slot, deployment), deployment) != node_of(source, deployment):
                    away += brought
    return away / total if total else Fraction(0)


def sets_of_gpus(row: Sequence[int], deployment: Deployment) -> Iterator[tuple[tuple[int, ...], set[int]]]:
    """Every set of GPUs, and the experts that have no replica elsewhere."""
    gpus = range(deployment.num_gpus)
    homes = {expert: {gpu_of(slot, deployment) for slot in slots_of(row, expert)} for expert in set(row)}
    for size in range(1, deployment.num_gpus + 1):
        for chosen in combinations(gpus, size):
            yield chosen, {expert for expert, home in homes.items() if home <= set(chosen)}


def best_split(row: Sequence[int], instance: Instance, window: int = 0) -> Fraction:
    """The coolest hottest GPU of any split, in tokens: by Hall's theorem some set of GPUs is filled to its mean."""
    loads = instance.weights[window]
    return (
        max(
            Fraction(sum(loads[expert] for expert in experts), len(chosen))
            for chosen, experts in sets_of_gpus(row, instance.deployment)
        )
        * instance.unit
    )


def some_split_has(loads: Sequence[Fraction], row: Sequence[int], instance: Instance, window: int = 0) -> bool:
    """Whether some split over replicas gives GPUs these loads: no set has less than its experts must leave there."""
    weights = [weight * instance.unit for weight in instance.weights[window]]
    return sum(loads) == sum(weights) and all(
        sum(loads[gpu] for gpu in chosen) >= sum(weights[expert] for expert in experts)
        for chosen, experts in sets_of_gpus(row, instance.deployment)
    )
