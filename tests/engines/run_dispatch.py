"""What SGLang's ranks make of a map, in a process of its own: ``python run_dispatch.py MAP.json TABLES.npz``.

In: ``words`` as behind ``sglang serve`` and ``map``, the expert of each slot by layer. Out, of shape ``(ranks, layers,
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
    rows = torch.tensor(asked["map"])
    arguments = prepare_server_args(asked["words"])
    publish(arguments, role="scheduler")
    static = arguments.ep_dispatch_algorithm == "static"
    ranks, experts = arguments.ep_size, int(rows.max()) + 1
    shape = expert_location.ModelConfigForExpertLocation
    shape.from_model_config = staticmethod(lambda config: shape(len(rows), experts, None))
    made = [
        expert_location.ExpertLocationMetadata.init_by_mapping(None, rows, moe_ep_rank=rank) for rank in range(ranks)
    ]
    whole = expert_location._compute_logical_to_all_physical_map(rows, experts, ranks, None)
    dispatch = expert_location.compute_logical_to_rank_dispatch_physical_map
    spread = [metadata.logical_to_all_physical_map.numpy() for metadata in made]
    width = max(table.shape[2] for table in spread)
    np.savez(
        answer,
        static=[m.logical_to_rank_dispatch_physical_map.numpy() for m in made if static],
        # All ranks draw alike here, and each draws for all: one of them knows the tables of the others.
        engine=dispatch(whole, ranks, rows.shape[1], slice(None)).numpy(),
        spread=[np.pad(t, ((0, 0), (0, 0), (0, width - t.shape[2])), constant_values=-1) for t in spread],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
