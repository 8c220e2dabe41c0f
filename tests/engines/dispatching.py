"""What SGLang's own functions make of a plan, for all ranks, and how hot GPUs are under it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from eplb_opt.full_table import full_table
from eplb_opt.io import write_plan
from tests.engines.parsers import run_beside, write_model

HERE = Path(__file__).parent


def hottest(gpu_loads):
    """Max load / mean load of arrays of shape ``(layers, GPUs)``, layers together."""
    return gpu_loads.max(axis=1).sum() / gpu_loads.mean(axis=1).sum()


def by_table(table, loads, gpus, slots):
    """Loads of GPUs, shape ``(layers, GPUs)``, where rank r asks the replicas ``table[r]`` for its part."""
    table = table if table.ndim == 4 else table[..., np.newaxis]
    found = np.zeros((len(loads), gpus))
    for of_rank in table:
        held = of_rank >= 0
        layer, expert, _ = np.nonzero(held)
        part = loads / gpus / held.sum(axis=2)
        np.add.at(found, (layer, of_rank[held] // (slots // gpus)), part[layer, expert])
    return found


def tables_of(plan, nodes, backend):
    """SGLang's tables for the file of a plan, with a row for every decoder layer, see `run_dispatch`."""
    words = ["--ep-dispatch-algorithm", "dynamic" if backend == "none" else "static"]
    return _asked("run_dispatch.py", plan, nodes, backend, words, {"map": full_table(plan, "decoder").tolist()})


def plugged_tables_of(plan, recording, later, nodes, backend, engine="native"):
    """SGLang's tables where the plug-in hands out the saved plan, see `run_plugged`.

    `recording` and `later` are loads of shape ``(decoder layers, experts)``.
    """
    with tempfile.TemporaryDirectory() as name:
        file, saved = Path(name) / "recording.json", Path(name) / "saved.json"
        file.write_text(json.dumps({"logical_count": np.asarray(recording).tolist()}))
        write_plan(plan, saved, engine)
        words = ["--ep-dispatch-algorithm", "dynamic", "--init-expert-location", str(file)]
        layers, experts = np.shape(recording)
        more = {"layers": layers, "experts": experts, "later": np.asarray(later).tolist()}
        variables = {"EPLB_OPT_PLAN": str(saved)}
        return _asked("run_plugged.py", plan, nodes, backend, words, more, variables)


def _asked(script, plan, nodes, backend, words, more, variables=None):
    gpus, redundant = plan.deployment.num_gpus, plan.deployment.num_slots - plan.num_experts
    ranks = f"--tp-size {gpus} --ep-size {gpus} --nnodes {nodes} --node-rank 0 --dist-init-addr 127.0.0.1:5000"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = ["--model-path", write_model(folder), "--device", "cpu", *ranks.split(), "--moe-a2a-backend", backend]
        start += ["--ep-num-redundant-experts", str(redundant)]
        (folder / "asked.json").write_text(json.dumps({"words": [*start, *words], **more}))
        code = [str(HERE / script), "asked.json", "tables.npz"]
        # Of all ranks of a whole model, minutes.
        run = run_beside("sglang", code, folder, variables=variables or {}, timeout=3600)
        if run.returncode:
            raise RuntimeError(run.stderr[-2000:])
        with np.load(folder / "tables.npz") as tables:
            return dict(tables)
