"""Rebalance again and again within limits of moves, by the engines' own functions, in a process of its own.

``python run_few_moves.py sglang|vllm|ascend ASKED.json OUT.npz``. In: ``loads`` of several windows, ``(windows,
layers, experts)``, ``gpus`` and ``slots``. Out: ``maps``, the expert of each slot after each window, the first being
what the engine begins with.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch


def sglang(loads: Any, gpus: int, slots: int) -> list[Any]:
    """The map that SGLang writes down, as its manager computes a new one and its updater takes it over."""
    import run_sglang  # noqa: F401 - its stand-ins are needed here too
    from sglang.srt.eplb import expert_location
    from sglang.srt.runtime_context import publish
    from sglang.srt.server_args import prepare_server_args

    from eplb_opt.plugins.sglang import plug_in

    plug_in()
    layers, experts = loads.shape[1:]
    words = f"--model-path MODEL --device cpu --tp-size {gpus} --ep-size {gpus} --moe-a2a-backend deepep".split()
    words += f"--ep-num-redundant-experts {slots - experts} --ep-dispatch-algorithm dynamic".split()
    publish(prepare_server_args(words), role="scheduler")
    shape = expert_location.ModelConfigForExpertLocation
    shape.from_model_config = staticmethod(lambda config: shape(layers, experts, None))
    begins = expert_location.compute_initial_expert_location_metadata(None, moe_ep_rank=0)
    expert_location.set_global_expert_location_metadata(begins)
    maps = [begins.physical_to_logical_map.clone()]
    for window in loads:
        new = expert_location.ExpertLocationMetadata.init_by_eplb(None, window)
        running = expert_location.get_global_expert_location_metadata()
        for layer in range(layers):
            running.update(new, update_layer_ids=[layer])
        maps.append(running.physical_to_logical_map.clone())
    return maps


def vllm(loads: Any, gpus: int, slots: int) -> list[Any]:
    """The map that vLLM's own worker is given by the policy that it has under the name of its default."""
    import run_vllm

    run_vllm.prepared()
    from vllm.distributed.eplb import async_worker
    from vllm.distributed.eplb.policy import EPLB_POLICIES

    from eplb_opt.plugins.vllm import register

    register()
    async_worker.device_stream = lambda stream: torch.no_grad()
    layers, experts = loads.shape[1:]
    begins = torch.cat([torch.arange(experts), torch.arange(slots - experts)]).expand(layers, -1)
    maps = [begins]
    for window in loads:
        stats = SimpleNamespace(
            global_expert_load_window=window, num_replicas=slots, num_groups=1, num_nodes=1, num_gpus=gpus
        )
        state = SimpleNamespace(eplb_stats=stats)
        engine = SimpleNamespace(policy=EPLB_POLICIES["default"])
        maps.append(async_worker.run_rebalance_experts(state, engine, maps[-1], None))
    return maps


def ascend(loads: Any, gpus: int, slots: int) -> list[Any]:
    """The table of vLLM-Ascend's own worker, which puts layers back that it does not accept."""
    import run_vllm

    run_vllm.prepared()
    # Neither is asked anything: vLLM's own placement brings kernels, and another policy SciPy.
    for unasked in (
        "vllm.model_executor.layers.fused_moe.expert_map_manager",
        "vllm_ascend.eplb.core.policy.policy_flashlb",
    ):
        sys.modules[unasked] = run_vllm.stand_ins.Module(unasked)
    from vllm_ascend.eplb.core.eplb_worker import EplbWorker
    from vllm_ascend.eplb.core.policy.policy_factory import PolicyFactory

    from eplb_opt.plugins.ascend import patch

    patch()
    layers, experts = loads.shape[1:]
    table = (torch.arange(slots) % experts).expand(layers, -1).reshape(layers, gpus, -1)
    slot_of = torch.full((layers, gpus, experts), -1)
    slot_of.scatter_(2, table, torch.arange(table.shape[2]).expand(layers, gpus, -1))
    worker = EplbWorker.__new__(EplbWorker)
    worker.policy, worker.shared_dict, worker.old_expert_maps = PolicyFactory.generate_policy(2), {}, None
    worker.shared_dict["expert_maps"] = slot_of
    worker.rank_id, worker.tp_size, worker.multi_stage = 1, None, False
    maps = [table.reshape(layers, -1)]
    for window in loads:
        counts = torch.stack([torch.bincount(row, minlength=experts) for row in maps[-1]])
        of_slots = (window / counts).gather(1, maps[-1])
        worker.shared_dict["moe_load"] = of_slots.reshape(layers, gpus, -1)
        worker.do_update()
        maps.append(worker.global2local(worker.shared_dict["expert_maps"], slots // gpus).reshape(layers, -1))
    return maps


def main(engine: str, question: Path, answer: Path) -> None:
    """Rebalance once for each window."""
    asked = json.loads(question.read_text())
    run = {"sglang": sglang, "vllm": vllm, "ascend": ascend}[engine]
    maps = run(torch.tensor(asked["loads"]), asked["gpus"], asked["slots"])
    np.savez(answer, maps=np.array([one.numpy() for one in maps]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
