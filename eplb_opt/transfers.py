"""Transfers: the moves between two plans as batches in which each GPU sends and receives at most one expert.

A move names its receiver; any GPU that holds the expert in the old plan can send it. Engines copy in steps in which a
GPU has one peer to send to and one to receive from. The fewest such batches are the most that one GPU sends or receives
(Koenig's theorem on the edges of a bipartite multigraph, doi:10.1007/BF01456961), so that senders are chosen to make
that the least, a flow, and an edge colouring gives each transfer its batch.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arrays import frozen_array
from eplb_opt.deployment import Deployment
from eplb_opt.moves import Ints, different_experts, moves_between, rows_before
from eplb_opt.plan import Plan

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Transfers:
    """What is copied from GPU to GPU, in the order in which it goes: layer by layer, batch by batch.

    Attributes
    ----------
    layer_ids
        Layers of the new plan.
    layer, batch, sender, receiver, expert
        Of each transfer the row of its layer in the new plan, its batch, counted from 0 in each layer, the GPU that
        has the expert in the old plan and the one that gets it: int64, shape ``(transfers,)``, read-only.
    loaded
        Rows of (row of the layer, GPU, expert) that no GPU of the old plan holds, so that their weights come from disk:
        int64, shape ``(loaded, 3)``, read-only.
    """

    layer_ids: tuple[int, ...]
    layer: Ints
    batch: Ints
    sender: Ints
    receiver: Ints
    expert: Ints
    loaded: Ints

    @classmethod
    def of(cls, layer_ids: tuple[int, ...], rows: Ints, loaded: Ints) -> Transfers:
        """Of a table with the columns layer, batch, sender, receiver, expert, and what is loaded."""
        layer, batch, sender, receiver, expert = (frozen_array(column.copy()) for column in rows.T)
        return cls(layer_ids, layer, batch, sender, receiver, expert, frozen_array(loaded))

    @property
    def batches(self) -> Ints:
        """Batches of each layer of the new plan, shape ``(layers,)``."""
        batches = np.zeros(len(self.layer_ids), dtype=np.int64)
        np.maximum.at(batches, self.layer, self.batch + 1)
        return batches

    @property
    def num_batches(self) -> int:
        """Batches of all layers, one layer after another."""
        return int(self.batches.sum())

    def to_frame(self) -> pd.DataFrame:
        """One row per transfer, in order, with ``layer_id``, ``batch``, ``sender``, ``receiver`` and ``expert``."""
        import pandas as pd

        names = ("batch", "sender", "receiver", "expert")
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame({"layer_id": np.array(self.layer_ids, dtype=np.int64)[self.layer], **columns})


def transfers_between(old: Plan, new: Plan, gains: NDArray[np.float64] | None = None) -> Transfers:
    """The moves from `old` to `new` in the fewest batches of each layer.

    No choice of senders and batches has fewer in any layer. Where the new plan's nodes are known, no choice with as few
    has more senders on the node of their receiver. Less than 10 ms for a layer with 300 moves, of 8 to 320 GPUs.

    Parameters
    ----------
    gains
        What each layer of the new plan gains, shape ``(layers,)``: layers go by gain / moves, the largest first, and
        those of unknown gain (``NaN``) last. Without it they go in order.

    Raises
    ------
    InvalidPlanError
        Plans that do not fit each other, see `eplb_opt.moves.rows_before`.
    """
    moves, deployment = moves_between(old, new), new.deployment
    held_before = deployment.gpus.table(rows_before(old, new), filler=-1)
    counts = np.bincount(moves[:, 0], minlength=new.num_layers)
    first = np.cumsum(counts) - counts
    tables, loaded = [np.empty((0, 5), dtype=np.int64)], [np.empty((0, 3), dtype=np.int64)]
    for row in _order(counts, gains):
        of_layer = moves[first[row] : first[row] + counts[row]]
        held = different_experts(held_before[row])
        known = np.isin(of_layer[:, 2], held[1])
        loaded.append(of_layer[~known])
        receiver, expert = of_layer[known, 1], of_layer[known, 2]
        sender = _senders(receiver, expert, held, _nodes(deployment))
        batch = _batches(sender, receiver, deployment.num_gpus)
        table = np.stack([np.full_like(batch, row), batch, sender, receiver, expert], axis=1)
        tables.append(table[np.lexsort((sender, batch))])
    return Transfers.of(new.layer_ids, np.concatenate(tables), np.concatenate(loaded))


def _order(counts: Ints, gains: NDArray[np.float64] | None) -> Ints:
    """Rows of the layers with moves, in the order in which they go."""
    rows = np.flatnonzero(counts)
    if gains is None:
        return rows
    # NaN is sorted behind all numbers.
    return rows[np.argsort(-np.asarray(gains)[rows] / counts[rows], kind="stable")]


def _nodes(deployment: Deployment) -> Ints:
    """The node of each GPU; one for all where nodes do not divide the GPUs."""
    return np.arange(deployment.num_gpus) // (deployment.ranks_per_node or deployment.num_gpus)


def _senders(receiver: Ints, expert: Ints, held: tuple[Ints, Ints], node: Ints) -> Ints:
    """Of each move the GPU that sends it, among those that `held` the expert, see `transfers_between`."""
    if not receiver.size:
        return receiver
    # Moves of an expert to a node are alike: a source of the flow. It goes to holders, and from each to the sink.
    nodes = int(node[-1]) + 1
    sources, source_of, demand = np.unique(expert * nodes + node[receiver], return_inverse=True, return_counts=True)
    gpu, ids = held
    order = np.argsort(ids, kind="stable")
    first, last = (np.searchsorted(ids, sources // nodes, side=side, sorter=order) for side in ("left", "right"))
    number = last - first
    source = np.repeat(np.arange(sources.size), number)
    holder = gpu[order[np.arange(source.size) + np.repeat(first - np.cumsum(number) + number, number)]]
    far = (node[holder] != sources[source] % nodes).astype(np.int64)
    # As many some holder has to send; and to send fewer than some GPU receives spares no batch.
    least = max(int(np.bincount(receiver).max()), -(-receiver.size // np.unique(holder).size))
    carried = _cheapest_flow(demand, source, sources.size + holder, far, least)
    # Arcs are in the order of their sources, and so are moves here.
    senders = np.empty_like(receiver)
    senders[np.argsort(source_of, kind="stable")] = np.repeat(holder, carried)
    return senders


def _cheapest_flow(supply: Ints, tail: Ints, head: Ints, cost: Ints, least: int) -> Ints:
    """What each arc carries where all supply reaches the sink, the most that comes through one head is as small as can
    be, but for numbers up to `least`, and among these flows the cost is least.

    Sources are nodes 0, 1, ...; behind each head is the sink.
    """
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    total, heads = int(supply.sum()), np.unique(head)
    sink = int(heads[-1]) + 1
    problem = SimpleMinCostFlow()
    arcs = problem.add_arcs_with_capacity_and_unit_cost(tail, head, supply[tail], cost)
    ends = problem.add_arcs_with_capacity_and_unit_cost(
        heads, np.full_like(heads, sink), np.zeros_like(heads), np.zeros_like(heads)
    )
    problem.set_nodes_supplies(np.append(np.arange(supply.size), sink), np.append(supply, -total))

    def is_enough(most: int) -> bool:
        problem.set_arc_capacities(ends, np.full_like(heads, most))
        return bool(problem.solve() == problem.OPTIMAL)

    # With room for the whole supply there is a flow, so that one is found.
    is_enough(bisect_left(range(total), True, lo=least, key=is_enough))
    carried: Ints = problem.flows(arcs)
    return carried


def _batches(sender: Ints, receiver: Ints, num_gpus: int) -> Ints:
    """The batch of each transfer, as few as some GPU sends or receives: an edge colouring."""
    import rustworkx

    graph: rustworkx.PyGraph[None, None] = rustworkx.PyGraph()
    graph.add_nodes_from([None] * (2 * num_gpus))
    graph.add_edges_from_no_data(list(zip(sender.tolist(), (num_gpus + receiver).tolist(), strict=True)))
    colours = rustworkx.graph_bipartite_edge_color(graph)
    return np.array([colours[edge] for edge in range(sender.size)], dtype=np.int64)
