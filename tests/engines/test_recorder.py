"""What SGLang's own recorder writes is read as the loads that it was told, exactly."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from eplb_opt import Loads, read_loads
from tests.engines.parsers import HERE, require, run_beside, write_model

require("sglang")

# Two dense layers and four with experts; eight experts in twelve slots, in every layer others; two ranks.
LAYERS, MOE_LAYERS, EXPERTS, RANKS = 6, range(2, 6), 8, 2
MAP = np.array([np.roll([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 0], 5 * layer) for layer in range(LAYERS)])
SLOTS = MAP.shape[1]
SELECTED, LOW_LATENCY, NORMAL = "on_select_experts", "on_deepep_dispatch_low_latency", "on_deepep_dispatch_normal"
# How the layers tell the recorder, and the words with which SGLang listens to that.
HOOKS = {
    SELECTED: ["--moe-a2a-backend", "none"],
    LOW_LATENCY: ["--moe-a2a-backend", "deepep", "--deepep-mode", "low_latency"],
    NORMAL: ["--moe-a2a-backend", "deepep", "--deepep-mode", "normal"],
}
# Mode, hook, places of the recorder's buffer: -1 for any number, None for what SGLang takes by itself.
CASES = {
    "stat": ("stat", SELECTED, -1),
    "stat, default buffer": ("stat", SELECTED, None),
    "stat, low latency": ("stat", LOW_LATENCY, -1),
    "stat_approx": ("stat_approx", NORMAL, -1),
    "per_pass": ("per_pass", SELECTED, -1),
    "per_pass, low latency": ("per_pass", LOW_LATENCY, -1),
    "per_token": ("per_token", SELECTED, -1),
}
# Numbers of the passes in each recording, and whether they are of the draft model, which counts its own.
PASSES = [
    [(1, False), (1, True), (2, True), (2, False), (3, True), (4, True), (3, False), (5, True)],
    [(4, False), (6, True), (5, False), (7, True)],
]


def told(hook, rng):
    """What a rank's layer with experts tells: the slots of its tokens, -1 for none, or the tokens of its slots."""
    if hook == SELECTED:
        return rng.integers(-1, SLOTS, (rng.integers(1, 30), 2)).tolist()
    return rng.integers(0, 100, SLOTS // RANKS).tolist()


def counted(hook, rank, data):
    """Tokens by slot of what was told."""
    if hook == SELECTED:
        return Counter(slot for token in data for slot in token if slot >= 0)
    return {rank * len(data) + place: tokens for place, tokens in enumerate(data)}


def recordings_of(hook, rng):
    """Recordings, each for all ranks, and the loads of their steps, shape ``(steps, layers with experts, experts)``."""
    recordings, loads = [], []
    for passes in PASSES:
        ranks, steps = [], {number: np.zeros((LAYERS, EXPERTS), int) for number, draft in passes if not draft}
        for rank in range(RANKS):
            ranks.append([])
            for number, draft in passes:
                layers = {layer: told(hook, rng) for layer in MOE_LAYERS}
                ranks[-1].append({"id": number, "draft": draft, "layers": layers})
                for layer, data in layers.items():
                    for slot, tokens in counted(hook, rank, data).items():
                        if not draft:
                            steps[number][layer, MAP[layer, slot]] += tokens
        recordings.append(ranks)
        loads.append(np.array([steps[number][MOE_LAYERS] for number in sorted(steps)]))
    return recordings, loads


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder that SGLang wrote, and the loads that it was told in each recording, by the name of the case."""
    folder = tmp_path_factory.mktemp("recorded")
    own = ["--model-path", write_model(folder), "--device", "cpu", "--tp-size", str(RANKS), "--ep-size", str(RANKS)]
    own += ["--ep-num-redundant-experts", str(SLOTS - EXPERTS), "--chunked-prefill-size", "64"]
    rng, asked, found = np.random.default_rng(0), {}, {}
    for name, (mode, hook, places) in CASES.items():
        recordings, loads = recordings_of(hook, rng)
        words = [*own, *HOOKS[hook], "--expert-distribution-recorder-mode", mode]
        if places is not None:
            words += ["--expert-distribution-recorder-buffer-size", str(places)]
        path = folder / name
        asked[str(path)] = {"words": words, "map": MAP.tolist(), "hook": hook, "recordings": recordings}
        found[name] = path, loads
    run = run_beside("sglang", [str(HERE / "run_recorder.py")], folder, json.dumps(asked))
    assert run.returncode == 0, run.stderr[-2000:]
    return found


def expected(windows):
    return Loads(windows, MOE_LAYERS, num_model_layers=LAYERS)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("stat")])
def test_each_dump_of_sums_over_ranks_is_the_loads_of_its_recording(recorded, name):
    folder, recordings = recorded[name]
    files = sorted(folder.iterdir(), key=lambda file: float(file.stem.rpartition("_")[2]))
    assert len(files) == len(recordings)
    for file, steps in zip(files, recordings, strict=True):
        assert read_loads(file) == expected(steps.sum(0))
        assert read_loads(file, window_length=1) == expected(steps)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("per_")])
def test_the_folder_of_all_dumps_of_all_ranks_is_one_recording(recorded, name):
    folder, recordings = recorded[name]
    assert len(list(folder.iterdir())) == RANKS * len(recordings)
    steps = np.concatenate(recordings)
    assert read_loads(folder) == expected(steps.sum(0))
    assert read_loads(folder, window_length=1) == expected(steps)
