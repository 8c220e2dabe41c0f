"""Files of other kinds are named for what they are; what gzip has packed is read."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save

from eplb_opt.errors import FileFormatError
from eplb_opt.io import foreign, read_loads, read_plan
from eplb_opt.loads import Loads
from tests.io.containers import npy, npz, saved, zipped
from tests.io.recordings import META, history, lines, stats

TABLE = [[3, 4], [1, 2]]


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return stream.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
FOREIGN = {
    "lfs": (POINTER, "a pointer of Git LFS and not the file itself; fetch it with git lfs pull"),
    "annex": (b"/annex/objects/MD5E-s3--acbd.json\n", "a pointer of git-annex"),
    "parquet": (b"PAR1\x15\x04\x00PAR1", "is a Parquet file; save the table with pandas as .csv"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\x00", "is an HDF5 file"),
    "sqlite": (b"SQLite format 3\x00\x10", "is an SQLite database"),
    "bzip2": (bz2.compress(b"1,2\n"), "is packed with bzip2; unpack it"),
    "xz": (lzma.compress(b"1,2\n"), "is packed with xz; unpack it"),
    "tar": (tarred(), "is a tar archive; unpack it"),
    "zip": (zipped(**{"a.csv": "1,2\n"}), "is a zip archive of 'a.csv' and no arrays; unpack it"),
    "excel": (zipped(**{"xl/workbook.xml": "<a/>"}), "is an Excel file"),
    "safetensors": (save({"a": np.ones(3)}), "is a safetensors file; give the folder"),
    "pickle": (pickle.dumps(TABLE), "is a pickle, which runs code when it is read; save the array as .npy"),
    "pickled frame": (pickle.dumps(pd.DataFrame(TABLE), protocol=2), "is a pickle"),
    "utf-16": ("1,2\n".encode("utf-16"), "is text in UTF-16; save it as UTF-8"),
    "cut gzip": (gzip.compress(b"1,2\n")[:-9], "is a damaged gzip file"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "gzip of a pointer": (gzip.compress(POINTER), "a pointer of Git LFS"),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("read", [read_loads, read_plan])
@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_other_containers_are_named_with_the_way_out(tmp_path, name, read, suffix):
    data, says = FOREIGN[name]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=says) as info:
        read(path)
    assert str(info.value).startswith(f"{path} ")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"3,4\n1,2\n"),
        ("a.npy", npy(np.array(TABLE))),
        ("a.npz", npz(loads=TABLE)),
        ("a.pt", saved(__import__("torch").tensor(TABLE))),
        ("a.jsonl", lines(META, stats(TABLE, [[0, 1], [0, 1]]))),
        ("history.json", history(TABLE)),
        ("a.json", json.dumps({"logical_count": TABLE}).encode()),
    ],
)
def test_what_gzip_has_packed_is_read(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    assert read_loads(tmp_path / f"{name}.gz") == read_loads(tmp_path / name)
    assert read_loads(tmp_path / f"{name}.gz").values.tolist() == [TABLE]


def test_a_packed_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign, "_MOST_UNPACKED", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 250))
    assert read_loads(tmp_path / "a.csv.gz") == Loads([[1, 2]] * 250, numbering="moe")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 251))
    with pytest.raises(FileFormatError, match="holds more than 1000 bytes; unpack it"):
        read_loads(tmp_path / "a.csv.gz")


BLOCK = "num_slots: 4\nlayer_updates_per_iter: 0\ninitial_global_assignments:\n  3: [0, 1, 2, 0]\n  4: [2, 1, 0, 1]\n"
FLOW = "{num_slots: 4, layer_updates_per_iter: 0, initial_global_assignments: {3: [0, 1, 2, 0], 4: [2, 1, 0, 1]}}\n"
YAML = {
    "block": BLOCK,
    "flow": FLOW,
    "flow over lines": FLOW.replace(", ", ",\n  "),
    "quoted keys": BLOCK.replace("initial_global_assignments", '"initial_global_assignments"'),
    "json": json.dumps({"num_slots": 4, "initial_global_assignments": {"3": [0, 1, 2, 0], "4": [2, 1, 0, 1]}}),
    "rows in blocks": BLOCK.replace("[0, 1, 2, 0]", "\n  - 0\n  - 1\n  - 2\n  - 0"),
    "comment first": f"# a plan\n---\n{BLOCK}",
}


@pytest.mark.parametrize("style", YAML)
def test_yaml_is_read_in_every_style(tmp_path, style):
    path = tmp_path / "plan.yaml"
    path.write_text(YAML[style])
    plan = read_plan(path)
    assert plan.layer_ids == (3, 4)
    assert plan.physical_to_logical.tolist() == [[0, 1, 2, 0], [2, 1, 0, 1]]


ROWS = {
    "null row": ([None, [1, 2]], r"entry \[0\] is None, no number"),
    "null cell": ([[1, 2], [3, None]], r"entry \[1\]\[1\] is None, no number"),
    "text": ([[1, 2], [3, "4"]], r"entry \[1\]\[1\] is '4', no number"),
    "ragged": ([[1, 2], [3]], r"entry \[1\] has length 1, and \[0\] has length 2"),
    "ragged step": ([[[1, 2]], [[1, 2], [3, 4]]], r"entry \[1\] has length 2, and \[0\] has length 1"),
    "ragged row of a step": ([[[1, 2], [1]]], r"entry \[0\]\[1\] has length 1, and \[0\]\[0\] has length 2"),
    "deeper": ([[1, 2], [[3], 4]], r"entry \[1\]\[1\] is no list, and \[1\]\[0\] has length 1"),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_are_none_or_ragged_are_named(tmp_path, name):
    rows, says = ROWS[name]
    (tmp_path / "a.json").write_text(json.dumps({"logical_count": rows}))
    with pytest.raises(ValueError, match=says):
        read_loads(tmp_path / "a.json")


def test_arrays_that_are_called_plans_or_loads_of_slots_are_refused(tmp_path):
    for name in (
        "phy2log",
        "physical_to_logical_map",
        "moe_load",
        "expert_map",
        "global_physical_count",
        "gpu_load",
        "topk_ids",
    ):
        (tmp_path / "a.npz").write_bytes(npz(**{name: TABLE}))
        with pytest.raises(FileFormatError, match=f"'{name}', which is not called the loads of|is a plan .* not loads"):
            read_loads(tmp_path / "a.npz")
    for name in ("arr_0", "decode", "expert_load", "counts"):
        (tmp_path / "a.npz").write_bytes(npz(**{name: TABLE}))
        assert read_loads(tmp_path / "a.npz").values.tolist() == [TABLE]
