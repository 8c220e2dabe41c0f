"""Apart: rows that survive where GPUs have different numbers of slots, so that nothing can be dealt in turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eplb_opt.failure_domains import COPIES, domain_gpus
from eplb_opt.heuristics.apportionment import divisor_method
from eplb_opt.heuristics.parts import ADAMS
from eplb_opt.heuristics.segment import Slots
from eplb_opt.heuristics.unequal import fit
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints


def apart(instance: Instance, loads: Floats, like: Slots) -> Slots:
    """A row that survives, for a deployment that has room for one, see `eplb_opt.failure_domains.require_survivable`.

    Domains of a node that groups are bound to get experts, each in two domains at least, and then the GPUs of a domain
    get what it has. Both are tables of zeros and ones with given sums: see `_table`. Counts are Adams' for `loads`,
    shape ``(experts,)``, where these fit, else as equal as possible, which always do. Where groups are bound to nodes
    they are where `like` has them.
    """
    deployment = instance.deployment
    row, sizes = np.empty_like(like), np.array(deployment.gpus.slots)
    size = domain_gpus(deployment)
    for node in range(deployment.binding_nodes):
        first = node * deployment.gpus_per_node
        experts = np.unique(like[deployment.gpus.of_slot // deployment.gpus_per_node == node])
        gpus = np.arange(first, first + deployment.gpus_per_node).reshape(-1, size)
        held = _table(loads[experts], sizes[gpus].sum(axis=1), COPIES)
        for domain, of_domain in zip(gpus, held, strict=True):
            mine = experts[of_domain]
            for gpu, of_gpu in zip(domain, _table(loads[mine], sizes[domain], 1), strict=True):
                row[deployment.gpus.span(gpu)] = np.resize(mine[of_gpu], sizes[gpu])
    return row


def _table(loads: Floats, sizes: Ints, least: int) -> Sequence[Ints]:
    """Different experts for places of so many slots: for each what it holds, hottest first, each expert in at least so
    many places.

    A place of more slots than there are experts holds all of them. Each expert in turn goes to the places with the most
    slots left: if there is a table with these sums, that makes one (D. Gale, Pacific Journal of Mathematics 7,
    1073-1082 (1957), https://doi.org/10.2140/pjm.1957.7.1073).
    """
    room = np.minimum(sizes, loads.size)
    counts, places = _counts(loads, room, least), [list[int]() for _ in room]
    left = room.copy()
    for expert in np.argsort(-loads / counts, kind="stable"):
        for place in np.argsort(-left, kind="stable")[: counts[expert]]:
            places[place].append(int(expert))
            left[place] -= 1
    return [np.array(place, dtype=np.int64) for place in places]


def _counts(loads: Floats, room: Ints, least: int) -> Ints:
    """In how many places each expert is: as Adams says, where the places can hold that, else as equal as possible."""
    spare = int(room.sum()) - least * loads.size
    begin = np.full(loads.size, least, dtype=np.int64)
    counts: Ints = divisor_method(np.ascontiguousarray(loads), begin, spare, room.size, ADAMS)
    if fit(counts, tuple(room.tolist())):
        return counts
    more, rest = divmod(spare, loads.size)
    begin += more
    begin[np.argsort(-loads, kind="stable")[:rest]] += 1
    return begin
