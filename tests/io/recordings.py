"""Recordings of engines, written as the engines do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from safetensors.numpy import save_file

from eplb_opt.loads import Loads
from tests.io.nouns import loads


@st.composite
def labelled_loads(draw: st.DrawFn, max_windows: int = 3) -> Loads:
    """Loads with every kind of labels."""
    plain = draw(loads(max_windows))
    more = draw(st.none() | st.sets(st.integers(0, plain.num_model_layers - 1)))
    moe_layer_ids = None if more is None else sorted({*plain.layer_ids, *more})
    numbering = draw(st.sampled_from(["decoder", "moe"]))
    return Loads(plain.values, plain.layer_ids, "", plain.num_model_layers, numbering, moe_layer_ids)


def lines(*records: Any) -> bytes:
    """JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


META = {
    "record_type": "eplb_load_meta",
    "version": 1,
    "model": "m",
    "num_ranks": 2,
    "num_groups": 1,
    "num_nodes": 1,
    "num_layers": 2,
    "num_redundant_experts": 0,
}


def stats(expert_load: Any, p2l_map: Any, step: int = 0, **fields: Any) -> dict[str, Any]:
    """A record of vLLM's load stats."""
    record = {"record_type": "eplb_load_stats", "version": 1, "step": step}
    return record | {"expert_load": expert_load, "p2l_map": p2l_map} | fields


def history(*steps: Any) -> bytes:
    """A load history."""
    return json.dumps({"load_history": [{"logical_expert_load": step} for step in steps]}).encode()


def write_statistic(folder: Path, ranks: list[dict[str, Any]], num_experts: Any) -> Path:
    """An expert statistic of TensorRT-LLM: for each rank counts by ``"{iteration}_{layer}"``."""
    folder.mkdir(exist_ok=True)
    (folder / "meta_info.json").write_text(json.dumps({"num_experts": num_experts, "num_experts_per_token": 2}))
    for rank, counts in enumerate(ranks):
        tensors = {key: np.array(values) for key, values in counts.items()}
        save_file(tensors, folder / f"rank{rank}.safetensors")
    return folder


def rank_file(rank: int, time: float = 1745900000.25) -> str:
    """Name of what a rank writes per pass."""
    return f"expert_distribution_recorder_{time}_{rank}.pt"


def passes_of(rank: int, counts: dict[int, Any], mapping: Any) -> dict[str, Any]:
    """What a rank writes per pass: counts of slots by forward pass."""
    records = [
        {
            "forward_pass_id": number,
            "rank": rank,
            "gatherer_key": "primary",
            "global_physical_count": torch.tensor(table, dtype=torch.int32),
        }
        for number, table in counts.items()
    ]
    return {"records": records, "last_physical_to_logical_map": torch.tensor(mapping)}


def write_passes(folder: Path, ranks: list[dict[int, Any]], mapping: Any) -> Path:
    """A recording of SGLang per pass: for each rank counts of slots by forward pass."""
    folder.mkdir(exist_ok=True)
    for rank, counts in enumerate(ranks):
        # Each rank asks its own clock.
        torch.save(passes_of(rank, counts, mapping), folder / rank_file(rank, 1745900000.25 + rank / 8))
    return folder
