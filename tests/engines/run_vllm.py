"""Give command lines to vLLM's own parser, and vLLM-Ascend's settings to its own, in a process of its own.

In, as JSON: a list of ``[words, variables]``, words as behind ``vllm serve``. Out: for each the parallel settings that
vLLM makes of them on GPUs, eight on a node, or ``error``; with ``--additional-config``, what vLLM-Ascend makes of the
plan that it names, for a model of as many experts as the variable ``EXPERTS`` says.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import stand_ins

stand_ins.install(
    *("aiohttp", "cachetools", "cbor2", "fastapi", "llguidance", "openai", "openai_harmony", "partial_json_parser"),
    *("prometheus_client", "pybase64", "requests", "torch_npu", "urllib3", "uvloop", "xgrammar", "zmq"),
)


class Parsed(Exception):  # noqa: N818 - not an error: it carries the settings out of a longer function
    """The parallel settings are there; what comes behind them is about the model."""


class Settings:
    """In the place of ParallelConfig: what it makes is handed out at once."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def __getattr__(self, name: str) -> Any:
        return getattr(self.config, name)

    def __call__(self, **values: Any) -> Any:
        raise Parsed(self.config(**values))


def prepared() -> Any:
    """The parser of ``vllm serve`` for a machine with GPUs."""
    import vllm.platforms
    from vllm.platforms.interface import Platform, PlatformEnum

    class Gpus(Platform):
        _enum, device_name, device_type = PlatformEnum.CUDA, "cuda", "cuda"

        @classmethod
        def device_count(cls) -> int:
            return 8

    vllm.platforms._current_platform = Gpus()
    from vllm.engine import arg_utils
    from vllm.entrypoints.common.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    arg_utils.ParallelConfig = Settings(arg_utils.ParallelConfig)
    arg_utils.EngineArgs.create_model_config = lambda self: MagicMock(is_moe=True)
    return make_arg_parser(FlexibleArgumentParser(prog="vllm serve"))


def resolved(parser: Any, words: list[str]) -> dict[str, Any]:
    """Parallel settings, and those of a plan."""
    from vllm.engine.arg_utils import AsyncEngineArgs

    namespace = parser.parse_args(words)
    namespace.model = namespace.model_tag or namespace.model
    arguments = AsyncEngineArgs.from_cli_args(namespace)
    try:
        arguments.create_engine_config(headless=namespace.headless)
    except Parsed as parsed:
        config = parsed.args[0]
    names = ("tensor_parallel_size", "data_parallel_size", "data_parallel_size_local", "data_parallel_rank", "nnodes")
    names += ("enable_expert_parallel", "enable_eplb", "data_parallel_master_ip")
    found = {name: getattr(config, name) for name in names}
    found["redundant"] = config.eplb_config.num_redundant_experts
    if arguments.additional_config:
        ranks = config.tensor_parallel_size * config.data_parallel_size
        size = ranks if config.enable_expert_parallel else 1
        found |= ascend(arguments.additional_config["eplb_config"], size)
    return found


def ascend(settings: dict[str, Any], ranks: int) -> dict[str, Any]:
    """What vLLM-Ascend makes of its settings: the placement of the first layer, as rank 0 of `ranks` has it."""
    import torch

    torch.Tensor.npu = lambda self: self
    # It has vLLM's own placement, for engines without a plan, and brings kernels.
    own = "vllm.model_executor.layers.fused_moe.expert_map_manager"
    sys.modules[own] = stand_ins.Module(own)
    from vllm_ascend.ascend_config import EplbConfig
    from vllm_ascend.eplb.core.eplb_utils import init_eplb_config

    config = EplbConfig(settings)
    moe = SimpleNamespace(num_experts=int(os.environ["EXPERTS"]), ep_size=ranks, ep_rank=0)
    experts, _, _, redundant = init_eplb_config(config, 0, moe, tp_size=1)
    placed = None if experts is None else experts.tolist()
    return {"dynamic": config.dynamic_eplb, "redundant": redundant, "slot_of_expert": placed}


def answer(parser: Any, words: list[str], variables: dict[str, str]) -> dict[str, Any]:
    """The settings, or why there are none."""
    said = io.StringIO()
    os.environ.update(variables)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return resolved(parser, words)
    except SystemExit:
        return {"error": said.getvalue().rpartition("error: ")[2].strip()}
    except Exception as error:  # noqa: BLE001 - whatever it refuses is an answer
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        for name in variables:
            del os.environ[name]


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        serve = prepared()
    print(json.dumps([answer(serve, *case) for case in json.load(sys.stdin)]))
