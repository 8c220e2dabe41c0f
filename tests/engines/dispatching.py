"""What SGLang's own functions make of a plan, for all ranks, and how hot GPUs are under it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eplb_opt.full_table import full_table
from eplb_opt.io import write_plan
from eplb_opt.plan import Plan
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


@dataclass(frozen=True)
class Question:
    """What a script asks SGLang of a plan: words behind those of the plan's ranks, fields of its own, and files."""

    script: str
    plan: Plan
    nodes: int
    backend: str
    words: tuple[str, ...]
    fields: dict
    saved: str = ""

    def asked(self, folder):
        """What the script reads; SGLang's model and the saved plan are files in `folder`."""
        deployment = self.plan.deployment
        gpus, redundant = deployment.num_gpus, deployment.num_slots - self.plan.num_experts
        start = ["--model-path", write_model(folder), "--device", "cpu", "--moe-a2a-backend", self.backend]
        start += f"--tp-size {gpus} --ep-size {gpus} --nnodes {self.nodes} --node-rank 0".split()
        start += ["--dist-init-addr", "127.0.0.1:5000", "--ep-num-redundant-experts", str(redundant)]
        variables = {}
        if self.saved:
            write_plan(self.plan, folder / "saved.json", self.saved)
            variables["EPLB_OPT_PLAN"] = str(folder / "saved.json")
        return {"words": [*start, *self.words], **self.fields}, variables


def of_file(plan, nodes, backend):
    """SGLang's tables for the file of a plan, with a row for every decoder layer, see `run_dispatch`."""
    words = ("--ep-dispatch-algorithm", "dynamic" if backend == "none" else "static")
    return Question("run_dispatch", plan, nodes, backend, words, {"map": full_table(plan, "decoder").tolist()})


def of_plug_in(plan, recording, later, nodes, backend, engine="native"):
    """SGLang's tables where the plug-in hands out the saved plan, see `run_plugged`.

    `recording` and `later` are loads of shape ``(decoder layers, experts)``.
    """
    layers, experts = np.shape(recording)
    fields = {"layers": layers, "experts": experts, "later": np.asarray(later).tolist()}
    fields["recording"] = np.asarray(recording).tolist()
    words = ("--ep-dispatch-algorithm", "dynamic", "--init-expert-location", "recording.json")
    return Question("run_plugged", plan, nodes, backend, words, fields, saved=engine)


def answers_to(questions):
    """The tables of each question."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(place) for place in range(len(questions))]
        found = []
        for folder, question in zip(folders, questions, strict=True):
            folder.mkdir()
            asked, variables = question.asked(folder)
            recording = asked.pop("recording", None)
            (folder / "recording.json").write_text(json.dumps({"logical_count": recording}))
            (folder / "asked.json").write_text(json.dumps(asked))
            code = [str(HERE / f"{question.script}.py"), "asked.json", "tables.npz"]
            # Of all ranks of a whole model, minutes.
            run = run_beside("sglang", code, folder, seconds=3600, **variables)
            if run.returncode:
                raise RuntimeError(run.stderr[-2000:])
            with np.load(folder / "tables.npz") as tables:
                found.append(dict(tables))
        return found
