"""Give command lines to SGLang's own parser, in a process of its own: JSON in, JSON out.

In: a list of ``[words, plan]``; words as behind ``sglang serve``, plan whether to load the plan that they name.
Out: for each the settings that SGLang makes of them, or ``error``; with a plan, the map that it makes of the file.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

import stand_ins

stand_ins.install(
    *("IPython", "aiohttp", "compressed_tensors", "gguf", "orjson", "pybase64", "requests", "sentencepiece"),
    *("starlette", "torchvision", "triton", "tvm_ffi", "zmq"),
)

FIELDS = ("tp_size", "ep_size", "nnodes", "node_rank", "dist_init_addr", "ep_num_redundant_experts", "enable_eplb")
FIELDS += ("init_expert_location", "ep_dispatch_algorithm", "moe_a2a_backend", "expert_distribution_recorder_mode")


def resolved(words: list[str], plan: bool) -> dict[str, Any]:
    """Settings as a scheduler process of SGLang has them."""
    from sglang.srt.runtime_context import publish
    from sglang.srt.server_args import prepare_server_args

    arguments = prepare_server_args(words)
    publish(arguments, role="scheduler")
    settings = arguments.resolved_dict()
    found = {name: settings[name] for name in FIELDS}
    if plan:
        from sglang.srt.eplb import expert_location

        # Asked for the shape of the model alone, which SGLang has from the model's class.
        shape = expert_location.ModelConfigForExpertLocation
        shape.from_model_config = staticmethod(lambda config: shape(num_layers=6, num_logical_experts=8, num_groups=4))
        made = expert_location.compute_initial_expert_location_metadata(None, moe_ep_rank=0)
        found["map"] = made.physical_to_logical_map.tolist()
    return found


def answer(words: list[str], plan: bool) -> dict[str, Any]:
    """The settings, or why there are none."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return resolved(words, plan)
    except SystemExit:
        return {"error": said.getvalue().rpartition("error: ")[2].strip()}
    except Exception as error:  # noqa: BLE001 - whatever it refuses is an answer
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    print(json.dumps([answer(*case) for case in json.load(sys.stdin)]))
