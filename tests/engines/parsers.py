"""Engines' own parsers, asked in processes of their own, once for all lines of a test module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# What fetch.py fetched: in the environment of the tests, or where the variable says.
FOLDER = Path(os.environ.get("EPLB_OPT_ENGINES", Path(sys.prefix) / "engines"))
NEEDS = {"sglang": ("sglang",), "vllm": ("vllm", "vllm-ascend")}

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


def run_beside(engine: str, code: list[str], folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Python with the engine's sources, in `folder`."""
    paths = [folder, *(FOLDER / name for name in (*NEEDS[engine], "packages")), HERE, HERE.parents[1]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    environment |= {"HF_HUB_OFFLINE": "1", "VLLM_LOGGING_LEVEL": "ERROR", "CUDA_VISIBLE_DEVICES": ""}
    environment |= more.pop("variables", {})
    more = {"timeout": 300} | more
    command = [sys.executable, "-W", "ignore", *code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **more)


def ask(engine: str, cases: list[Any], folder: Path) -> list[dict[str, Any]]:
    """What the engine's parser makes of each case, run in `folder`."""
    run = run_beside(engine, [str(HERE / f"run_{engine}.py")], folder, input=json.dumps(cases))
    assert run.returncode == 0, run.stderr[-2000:]
    answers = json.loads(run.stdout.splitlines()[-1])
    assert len(answers) == len(cases)
    return answers
