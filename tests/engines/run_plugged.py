"""What SGLang's ranks are given by the plug-in, in a process of its own: ``python run_plugged.py ASKED.json OUT.npz``.

In: ``words`` as behind ``sglang serve``, which name a recording, ``layers`` and ``experts`` of the model, and
``later``, the loads of a rebalancing, by layer. Out, from the start of the engine: ``map``, the expert of each slot by
layer, and ``spread`` of shape ``(ranks, layers, experts, slots)``, -1 padded, the replicas among which a rank chooses
with dynamic dispatch. And ``later``, the map after a rebalancing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import run_sglang  # noqa: F401 - its stand-ins are needed here too


def main(question: Path, answer: Path) -> None:
    """Start and rebalance as each rank does."""
    import numpy as np
    import torch
    from sglang.srt.eplb import expert_location
    from sglang.srt.runtime_context import publish
    from sglang.srt.server_args import prepare_server_args

    from eplb_opt.plugins.sglang import plug_in

    plug_in()
    asked = json.loads(question.read_text())
    arguments = prepare_server_args(asked["words"])
    publish(arguments, role="scheduler")
    shape = expert_location.ModelConfigForExpertLocation
    shape.from_model_config = staticmethod(lambda config: shape(asked["layers"], asked["experts"], None))
    start = expert_location.compute_initial_expert_location_metadata
    made = [start(None, moe_ep_rank=rank) for rank in range(arguments.ep_size)]
    later = expert_location.ExpertLocationMetadata.init_by_eplb(None, torch.tensor(asked["later"]))
    np.savez(
        answer,
        map=made[0].physical_to_logical_map.numpy(),
        spread=[metadata.logical_to_all_physical_map.numpy() for metadata in made],
        later=later.physical_to_logical_map.numpy(),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
