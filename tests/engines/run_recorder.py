"""Have SGLang's recorder write its files, in a process of its own: JSON in, files out.

In, for each case by the folder that its files go to: ``words`` as behind ``sglang serve``; ``map``, the expert of each
slot by layer; ``hook``, the one of the recorder that the layers call; ``recordings``, of which each is dumped. A
recording has for each rank its passes; a pass has ``id``; ``draft``, whether it is of a draft model, whose layers
SGLang has call the hook with recording disabled; and ``layers``, what the hook is given by layer with experts.
"""

from __future__ import annotations

import contextlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import run_sglang  # noqa: F401 - its stand-ins are needed here too


def given(hook: str, data: list[Any]) -> dict[str, Any]:
    """Arguments of a hook."""
    import torch

    if hook == "on_select_experts":
        return {"topk_ids": torch.tensor(data)}
    if hook == "on_deepep_dispatch_low_latency":
        return {"local_physical_count_of_layer": torch.tensor(data)}
    rest = ("num_tokens_per_rank", "num_tokens_per_rdma_rank", "num_tokens_per_expert")
    return {"local_physical_count_of_layer": data, **dict.fromkeys(rest)}


def batch(tokens: int) -> Any:
    """Of a forward batch what the recorder looks at."""
    import torch
    from sglang.srt.model_executor.forward_batch_info import ForwardMode

    ids = torch.arange(tokens)
    return types.SimpleNamespace(
        input_ids=ids, positions=ids, extend_seq_lens_cpu=[tokens], forward_mode=ForwardMode.EXTEND
    )


def record(recorder: Any, hook: str, passes: list[dict[str, Any]]) -> None:
    """All passes of a rank, as the layers of its models tell them."""
    recorder.start_record()
    for told in passes:
        region = recorder.disable_this_region() if told["draft"] else contextlib.nullcontext()
        tokens = max(map(len, told["layers"].values()))
        with recorder.with_forward_pass(told["id"], batch(tokens)), region:
            for layer, data in told["layers"].items():
                with recorder.with_current_layer(int(layer)):
                    getattr(recorder, hook)(**given(hook, data))
    recorder.stop_record()


def main(folder: str, case: dict[str, Any]) -> None:
    """All recordings of all ranks."""
    import torch
    from sglang.srt.environ import envs
    from sglang.srt.eplb import expert_distribution, expert_location
    from sglang.srt.runtime_context import publish
    from sglang.srt.server_args import prepare_server_args

    publish(prepare_server_args(case["words"]), role="scheduler")
    # It knows accelerators alone, and so does the release of memory after the first dump.
    expert_distribution.get_device = lambda: "cpu"
    torch.get_device_module().empty_cache = lambda: None
    rows = torch.tensor(case["map"])
    shape = expert_location.ModelConfigForExpertLocation
    shape.from_model_config = staticmethod(lambda config: shape(len(rows), int(rows.max()) + 1, None))
    ranks = range(len(case["recordings"][0]))
    recorders = {}
    for rank in ranks:
        torch.distributed.get_rank = lambda rank=rank: rank
        metadata = expert_location.ExpertLocationMetadata.init_by_mapping(None, rows, moe_ep_rank=rank)
        recorders[rank] = expert_distribution.ExpertDistributionRecorder.init_new(metadata, rank)
    envs.SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR.set(folder)
    for recording in case["recordings"]:
        earlier: list[Any] = []

        # The ranks dump one after the other, rank 0 as the last: it has the sum, as it has from a real group.
        def all_reduce(tensor: Any, op: Any, earlier: list[Any] = earlier) -> None:
            earlier.append(tensor.clone())
            tensor.copy_(sum(earlier))

        torch.distributed.all_reduce = all_reduce
        for rank in reversed(ranks):
            record(recorders[rank], case["hook"], recording[rank])
            recorders[rank].dump_record()


if __name__ == "__main__":
    for folder, case in json.load(sys.stdin).items():
        Path(folder).mkdir()
        main(folder, case)
