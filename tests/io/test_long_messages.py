"""A refusal names the first place that is wrong, however much is wrong: one sentence, and never the file."""

import json

import numpy as np
import pytest

from eplb_opt.errors import EplbOptError
from eplb_opt.io import read_loads, read_plan
from eplb_opt.io.native import format_plan
from tests.io.containers import npz
from tests.io.recordings import META, lines, stats
from tests.io.test_damage import PLAN

ROWS = [(layer, expert, 7) for layer in range(58) for expert in range(256)]
WIDE = np.ones((500, 2000), dtype=int)
MAP = np.arange(2000) % 1900


def text(header, rows):
    return "".join(",".join(map(str, row)) + "\n" for row in [header, *rows])


FILES = {
    "long table under the header of a wide one": ("a.csv", text(["layer", "0", "1"], ROWS)),
    "long table without a header": ("a.csv", text(["layer", "expert", "value"], ROWS)),
    "layers that do not increase": ("a.csv", text(["layer_id", *range(256)], [[9 - i, *[1] * 256] for i in range(9)])),
    "thousands of misnamed columns": ("a.csv", text([f"x{i}y" for i in range(5000)], [[1] * 5000])),
    "one very long cell": ("a.csv", "x" * 10**6 + ",1\n2,3\n"),
    "one very long number": ("a.csv", "9" * 10**6 + "\n"),
    "nothing but words": ("a.json", json.dumps({"logical_count": [["x" * 1000] * 100] * 100})),
    "negative everywhere": ("a.json", json.dumps({"logical_count": (-WIDE).tolist()})),
    "ragged everywhere": ("a.json", json.dumps({"logical_count": [[1] * i for i in range(1, 500)]})),
    "thousands of keys": ("a.json", json.dumps({f"key {i}": i for i in range(5000)})),
    "thousands of arrays": ("a.npz", npz(**{f"array_{i}": np.ones(1) for i in range(500)})),
    "ids that do not increase": ("a.npz", npz(loads=WIDE, layer_ids=np.arange(500)[::-1])),
    "ids beside moe_layer_ids": (
        "a.npz",
        npz(loads=WIDE, layer_ids=np.arange(500), moe_layer_ids=np.arange(1, 1001, 2)),
    ),
    "a map of another size": ("a.jsonl", lines(META, stats(WIDE.tolist(), (WIDE[:, 1:] * MAP[1:]).tolist()))),
    "a plan without an expert": ("a.json", json.dumps({"physical_to_logical_map": [[0, 2] * 500] * 500})),
    "a plan that is text": ("a.json", json.dumps({"physical_to_logical_map": "x" * 10**5})),
    "a plan of TensorRT-LLM": (
        "a.yaml",
        "initial_global_assignments: {" + ", ".join(f"{i}: x" for i in range(5000)) + "}",
    ),
    "keys that TensorRT-LLM refuses": (
        "a.yaml",
        "initial_global_assignments: {}\n" + "\n".join(f"k{i}: 1" for i in range(999)),
    ),
    "a solution for other layers": (
        "a.json",
        json.dumps({**json.loads(format_plan(PLAN, "x.json")), "layer_ids": list(range(5000, 0, -1))}),
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("read", [read_loads, read_plan])
def test_a_refusal_is_a_sentence(tmp_path, name, read):
    file, content = FILES[name]
    path = tmp_path / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(EplbOptError) as info:
        read(path)
    assert len(str(info.value)) - len(str(path)) < 300
    assert "\n" not in str(info.value)


def test_files_that_differ_are_named_and_not_listed(tmp_path):
    paths = [tmp_path / f"{'x' * 100}{i}.npy" for i in range(100)]
    table = np.ones((500, 2), dtype=int)
    for path in paths:
        np.save(path, table)
    np.savez(tmp_path / "other.npz", loads=table, layer_ids=np.arange(1, 1001, 2))
    with pytest.raises(EplbOptError) as info:
        read_loads([*paths, tmp_path / "other.npz"])
    assert len(str(info.value)) < 700
    assert len(read_loads(paths).source) < 1000
