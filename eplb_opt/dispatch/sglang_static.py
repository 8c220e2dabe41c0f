"""SGLang, static: each far source asks one replica, which its rank draws when the engine starts.

`compute_logical_to_rank_dispatch_physical_map` in ``sglang/srt/eplb/expert_location.py`` (SGLang 0.5.23), for a plan
from a file. Who is near asks as under `nearest`. For each expert with far sources, in order of layers and experts, each
far rank deals the replicas to all far ranks, as evenly as possible and shuffled, and takes what it has dealt itself. As
ranks have drawn different numbers of words before (a rank that is near draws nothing), their deals differ: so the
picks are not fair, but they are a function of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.nearest import nearest_replica
from eplb_opt.dispatch.rule import FixedShares, Ints, Served, replicas
from eplb_opt.dispatch.streams import Stream
from eplb_opt.instance import Instance


class Drawn(NamedTuple):
    """What the ranks ask in a layer.

    Attributes
    ----------
    choices
        For each expert with several replicas, their slots, and which of these each source asks, shape ``(sources,)``.
    streams
        Words that each rank has drawn, with this layer.
    """

    choices: tuple[tuple[Ints, Ints], ...]
    streams: tuple[int, ...]


def draw(slots: Ints, deployment: Deployment, streams: tuple[int, ...]) -> Drawn:
    """What ranks ask that have drawn so many words of their streams in the layers before."""
    return _draw(np.asarray(slots, dtype=np.int64).tobytes(), deployment, streams)


# A row is valued for several reasons: its draws, which take up to a tenth of a second, are kept for a while.
@lru_cache(maxsize=256)
def _draw(row: bytes, deployment: Deployment, streams: tuple[int, ...]) -> Drawn:
    slots = np.frombuffer(row, dtype=np.int64)
    ranks = [Stream(position) for position in streams]
    choices = []
    for places in replicas(slots):
        asked = nearest_replica(places, deployment)
        far = np.flatnonzero(asked < 0).tolist()
        rounds, rest = divmod(len(far), len(places))
        for place, rank in enumerate(far):
            dealt = list(range(len(places))) * rounds + ranks[rank].sample(range(len(places)), k=rest)
            ranks[rank].shuffle(dealt)
            asked[rank] = dealt[place]
        choices.append((places, asked))
    return Drawn(tuple(choices), tuple(rank.position for rank in ranks))


def served_as_drawn(slots: Ints, instance: Instance) -> Iterator[Served]:
    """One replica for each source."""
    for places, asked in draw(slots, instance.deployment, instance.streams).choices:
        count = len(places)
        yield Served(places, np.where(np.arange(count) == asked[:, np.newaxis], count, 0))


# Each rank has a stream of its own, so that other GPUs make other draws.
RULE = FixedShares(served_as_drawn, lambda deployment: "slots")
