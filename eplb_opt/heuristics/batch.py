"""Batch: a heuristic of the registry on all layers of a model at once, in compiled code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.apportionment import apportion
from eplb_opt.heuristics.packs import pack_items
from eplb_opt.heuristics.parts import EVERYWHERE, Packing, Replication
from eplb_opt.heuristics.pipeline import hottest
from eplb_opt.heuristics.refinement import num_doubled, part_doubles
from eplb_opt.heuristics.registry import JOINT, Heuristic, heuristic_of, names
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints, compiled
from eplb_opt.kernels.local_search import improve
from eplb_opt.kernels.state import state_of
from eplb_opt.verify import max_loads

# Pairs of slots that a descent looks at on a node, for each slot there: some 0.2 ms for 288 slots.
_PAIRS_PER_SLOT = 150
# More than floats lose in the load of a GPU.
_ROUNDING = 1e-9


class _Places(NamedTuple):
    """A deployment in the numbers that compiled code takes."""

    nodes: int
    groups: int
    gpus: int
    slots: int
    most: int
    distinct: bool


@dataclass(frozen=True, eq=False)
class Placement:
    """What a heuristic makes of a model.

    Attributes
    ----------
    slots
        Shape ``(layers, slots)``: slot -> expert, by the rules of the deployment.
    doubled
        Shape ``(layers,)``: replicas that packing put on a GPU which held the expert already. Where the deployment's
        replicas must be distinct, they were exchanged afterwards.
    """

    slots: NDArray[np.int64]
    doubled: NDArray[np.int64]


def place_layers(heuristic: Heuristic, loads: NDArray[np.float64], deployment: Deployment) -> Placement:
    """Plan all layers; `loads` of shape ``(layers, experts)``, finite and not negative.

    Where the deployment's replicas must be distinct, no expert gets more of them than a node has GPUs, and replicas
    that the heuristic doubles up are exchanged; else the plan is as published. Speeds of GPUs are not known to it. Same
    loads, same plan.
    """
    num_experts = loads.shape[1]
    deployment.require_equal_slots("published heuristics are")
    deployment.require_room_for(num_experts)
    spare = deployment.slots_per_node - num_experts // deployment.binding_nodes + 1
    # What is to be on every GPU is once on each, where experts are enough to fill a GPU with.
    enough = deployment.slots_per_gpu <= num_experts // deployment.binding_nodes
    apart = deployment.distinct or bool(enough and heuristic.replication.rule == EVERYWHERE)
    places = _Places(
        deployment.binding_nodes,
        deployment.binding_groups,
        deployment.gpus_per_node,
        deployment.slots_per_gpu,
        min(spare, deployment.gpus_per_node) if apart else spare,
        apart,
    )
    loads = np.ascontiguousarray(loads, dtype=np.float64)
    experts = np.stack([_experts_of_nodes(layer, places, heuristic.groups) for layer in loads])
    counts = _counts(loads, experts, places, heuristic.replication)
    slots, doubled = _place(loads, experts, counts, places, heuristic.gpus)
    if heuristic.descent:
        _descend(loads, slots, places, np.random.default_rng(0))
    return Placement(slots, doubled)


def best_placement(instance: Instance) -> tuple[str, NDArray[np.int64]]:
    """The plan of a layer of one window that no heuristic of the registry beats, and the name of its heuristic."""
    loads, deployment = instance.kernel_loads[np.newaxis], instance.deployment
    rules = [heuristic_of(name) for name in names() if name != JOINT]
    plans = {rule.name: place_layers(rule, loads, deployment).slots[0] for rule in rules}
    heat = {name: hottest(instance, slots) for name, slots in plans.items()}
    # Exact arithmetic takes longer than all of the plans, and decides between those that floats cannot tell apart.
    close = [name for name in plans if heat[name] <= min(heat.values()) * (1 + _ROUNDING)]
    best = min(close, key=lambda name: max_loads(plans[name].tolist(), instance))
    return best, plans[best]


def _experts_of_nodes(w: Floats, places: _Places, packing: Packing) -> Ints:
    """Experts of each node, shape ``(nodes, experts / nodes)``: group by group as packed, which decides ties."""
    experts = np.arange(w.size).reshape(places.groups, -1)
    if places.nodes > 1:
        totals = np.cumsum(w.reshape(places.groups, -1), axis=1)[:, -1].copy()
        experts = experts[pack_items(totals, np.arange(places.groups), places.nodes, packing)]
    return experts.reshape(places.nodes, -1)


@compiled
def _counts(loads: Floats, experts_of_nodes: Ints, places: _Places, replication: Replication) -> Ints:
    """Replicas of the experts of each node of each layer, shaped as these."""
    counts = np.empty_like(experts_of_nodes)
    num_layers, num_nodes, num_experts = counts.shape
    w = np.empty(num_experts)
    for layer in range(num_layers):
        for node in range(num_nodes):
            for expert in range(w.size):
                w[expert] = loads[layer, experts_of_nodes[layer, node, expert]]
            found = apportion(w, places.gpus * places.slots, places.gpus, places.most, replication)
            for expert in range(w.size):
                counts[layer, node, expert] = found[expert]
    return counts


@compiled
def _place(loads: Floats, experts_of_nodes: Ints, counts: Ints, places: _Places, packing: Packing) -> tuple[Ints, Ints]:
    """`Placement.slots` and `Placement.doubled`; no expert twice on a GPU where replicas have to be distinct."""
    num_layers = loads.shape[0]
    node_slots = places.gpus * places.slots
    slots = np.empty((num_layers, places.nodes * node_slots), dtype=np.int64)
    doubled = np.zeros(num_layers, dtype=np.int64)
    w, replica_loads = np.empty(counts.shape[2]), np.empty(node_slots)
    table = np.empty((places.gpus, places.slots), dtype=np.int64)
    for layer in range(num_layers):
        for node in range(places.nodes):
            experts = experts_of_nodes[layer, node]
            for expert in range(w.size):
                w[expert] = loads[layer, experts[expert]]
            owner = _items(counts[layer, node], node_slots)
            for item in range(node_slots):
                replica_loads[item] = w[owner[item]] / counts[layer, node, owner[item]]
            items = pack_items(replica_loads, owner, places.gpus, packing)
            for gpu in range(places.gpus):
                for place in range(places.slots):
                    table[gpu, place] = owner[items[gpu, place]]
            state = state_of(w, table, places.most, places.distinct)
            doubled[layer] += num_doubled(state)
            if places.distinct:
                part_doubles(state)
            for gpu in range(places.gpus):
                for place in range(places.slots):
                    slots[layer, node * node_slots + gpu * places.slots + place] = experts[table[gpu, place]]
    return slots, doubled


@compiled
def _items(counts: Ints, num_slots: int) -> Ints:
    """Experts of the replicas: the first of each expert in order, then the second of those that have two, and so on."""
    owner = np.empty(num_slots, dtype=np.int64)
    item = copy = 0
    while item < num_slots:
        for expert in range(counts.size):
            if counts[expert] > copy:
                owner[item] = expert
                item += 1
        copy += 1
    return owner


def _descend(loads: Floats, slots: Ints, places: _Places, random: np.random.Generator) -> None:
    """Swap descent on each node of each layer."""
    node_slots = places.gpus * places.slots
    for layer in range(loads.shape[0]):
        for node in range(places.nodes):
            row = slots[layer, node * node_slots : (node + 1) * node_slots]
            experts = np.unique(row)
            table = np.searchsorted(experts, row).reshape(places.gpus, places.slots)
            work = np.array([_PAIRS_PER_SLOT * node_slots])
            state = state_of(loads[layer][experts], table, places.most, places.distinct)
            improve(state, 0.0, 0, work, random)
            row[:] = experts[table.ravel()]
