"""Engines' own code, asked in processes of its own, and their parsers once for all lines of a test module."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# What fetch.py fetched: in the environment of the tests, or where the variable says.
FOLDER = Path(os.environ.get("EPLB_OPT_ENGINES", Path(sys.prefix) / "engines"))
NEEDS = {"sglang": ("sglang",), "vllm": ("vllm", "vllm-ascend")}
# What takes time to load and is the same whatever is asked.
LOADED = {
    "sglang": (
        *("run_sglang", "sglang.srt.server_args", "sglang.srt.eplb.expert_location", "functorch.compile", "networkx"),
        *("eplb_opt.plugins.sglang", "sglang.srt.model_executor.forward_batch_info"),
        "sglang.srt.eplb.expert_distribution",
    ),
    "vllm": ("run_vllm", "torch", "transformers", "vllm.platforms"),
}

# A model as its configuration describes it, small where nobody looks.
MODEL = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "num_hidden_layers": 6,
    "first_k_dense_replace": 2,
    "moe_layer_freq": 1,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 4,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "hidden_size": 512,
    "intermediate_size": 1024,
    "moe_intermediate_size": 256,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "q_lora_rank": 128,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 1024,
    "max_position_embeddings": 4096,
    "rope_theta": 10000,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "dtype": "bfloat16",
    "bos_token_id": 0,
    "eos_token_id": 1,
    "tie_word_embeddings": False,
}


def require(engine: str) -> None:
    """Skip where the engine was not fetched."""
    missing = [name for name in NEEDS[engine] if not (FOLDER / f"{name.replace('-', '_')}.pinned").exists()]
    if missing:
        pytest.skip(f"{missing[0]} is not in {FOLDER}: make engines", allow_module_level=True)


def write_model(folder: Path) -> str:
    """A folder with the configuration of the model."""
    path = folder / "MODEL"
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(MODEL))
    return str(path)


def environment_of(engine: str, folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """The variables of Python with the engine's sources."""
    paths = [folder, *(FOLDER / name for name in (*NEEDS[engine], "packages")), HERE, HERE.parents[1]]
    fixed = {"HF_HUB_OFFLINE": "1", "VLLM_LOGGING_LEVEL": "ERROR", "CUDA_VISIBLE_DEVICES": ""}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), **fixed, **variables}


@cache
def loaded(engine: str) -> subprocess.Popen[str]:
    """A process that has the engine loaded, for all tests of this one; see `run_forked`."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(HERE / "run_forked.py"), *LOADED[engine]],
        env=environment_of(engine, HERE, {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(end, process)
    return process


def end(process: subprocess.Popen[str]) -> None:
    """End a process that waits for questions."""
    process.kill()
    process.wait()


def run_alone(engine: str, code: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python with the engine's sources, which has loaded nothing yet."""
    command = [sys.executable, "-W", "ignore", *code]
    environment = environment_of(engine, folder, variables)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def run_beside(
    engine: str, code: list[str], folder: Path, words: str = "", seconds: float = 300, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Python with the engine's sources and modules, in `folder`; its input are some `words`."""
    process = loaded(engine)
    streams = [folder / name for name in ("in.txt", "out.txt", "errors.txt")]
    for stream, content in zip(streams, (words, "", ""), strict=True):
        stream.write_text(content)
    environment = environment_of(engine, folder, variables)
    line = {"code": code, "folder": str(folder), "environment": environment, "streams": list(map(str, streams))}
    process.stdin.write(json.dumps(line) + "\n")
    process.stdin.flush()
    if not select.select([process.stdout], [], [], seconds)[0]:
        end(process)
        loaded.cache_clear()
        raise subprocess.TimeoutExpired(code, seconds)
    status = process.stdout.readline()
    assert status, f"{engine} cannot be loaded"
    return subprocess.CompletedProcess(code, int(status), streams[1].read_text(), streams[2].read_text())


def ask(engine: str, cases: list[Any], folder: Path) -> list[dict[str, Any]]:
    """What the engine's parser makes of each case, run in `folder`."""
    run = run_beside(engine, [str(HERE / f"run_{engine}.py")], folder, json.dumps(cases))
    assert run.returncode == 0, run.stderr[-2000:]
    answers = json.loads(run.stdout.splitlines()[-1])
    assert len(answers) == len(cases)
    return answers
