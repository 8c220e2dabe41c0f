"""What SGLang's ranks make of a map, in a process of its own: ``python run_dispatch.py MAP.json TABLES.npz``,
and more such pairs.

In: ``words`` as behind ``sglang serve`` and ``map``, the expert of each slot by layer; or without a map, which is
then the file that the words name, its ``shape``: layers and experts. Out, of shape ``(ranks, layers,
experts)``: ``static`` and ``engine``, the replica that a rank asks with static dispatch, where the map is from a file
(nothing unless the words say ``static``) and where it is made in the engine. And of shape ``(ranks, layers, experts,
replicas)``, -1 padded: ``spread``, the replicas among which it chooses with dynamic dispatch where the map is from a
file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import run_sglang  # noqa: F401 - its stand-ins are needed here too


def main(question: Path, answer: Path) -> None:
    """Make the tables of all ranks."""
    import numpy as np
    import torch
    from sglang.srt.eplb import expert_location
    from sglang.srt.runtime_context import publish
    from sglang.srt.server_args import prepare_server_args

    asked = json.loads(question.read_text())
    arguments = prepare_server_args(asked["words"])
    publish(arguments, role="scheduler")
    static = arguments.ep_dispatch_algorithm == "static"
    ranks, location = arguments.ep_size, expert_location.ExpertLocationMetadata
    shape = expert_location.ModelConfigForExpertLocation
    if "map" in asked:
        rows = torch.tensor(asked["map"])
        layers, experts = len(rows), int(rows.max()) + 1
    else:
        layers, experts = asked["shape"]
    shape.from_model_config = staticmethod(lambda config: shape(layers, experts, None))
    if "map" in asked:
        made = [location.init_by_mapping(None, rows, moe_ep_rank=rank) for rank in range(ranks)]
    else:
        load = expert_location.compute_initial_expert_location_metadata
        made = [load(None, moe_ep_rank=rank) for rank in range(ranks)]
        rows = made[0].physical_to_logical_map
    whole = expert_location._compute_logical_to_all_physical_map(rows, experts, ranks, None)
    dispatch = expert_location.compute_logical_to_rank_dispatch_physical_map
    spread = [metadata.logical_to_all_physical_map.numpy() for metadata in made]
    width = max(table.shape[2] for table in spread)
    np.savez(
        answer,
        rows=rows.numpy(),
        static=[m.logical_to_rank_dispatch_physical_map.numpy() for m in made if static],
        # All ranks draw alike here, and each draws for all: one of them knows the tables of the others.
        engine=dispatch(whole, ranks, rows.shape[1], slice(None)).numpy(),
        spread=[np.pad(t, ((0, 0), (0, 0), (0, width - t.shape[2])), constant_values=-1) for t in spread],
    )


if __name__ == "__main__":
    paths = list(map(Path, sys.argv[1:]))
    for pair in zip(paths[::2], paths[1::2], strict=True):
        main(*pair)
