import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidArgumentError, InvalidLoadsError
from eplb_opt.io import read_loads, write_loads
from eplb_opt.loads import Loads
from tests.io.containers import npy, npz, saved

TABLE = [[0, 0], [1, 2]]
KEPT = Loads(TABLE)
DROPPED = Loads([[1, 2]], (1,))

FILES = {
    "a.json": (json.dumps({"logical_count": TABLE}).encode(), "sglang", DROPPED),
    "a.pt": (saved({"logical_count": torch.tensor(TABLE)}), "sglang", DROPPED),
    "b.pt": (saved(torch.tensor(TABLE)), "torch", KEPT),
    "b.pth": (saved(torch.tensor(TABLE), _use_new_zipfile_serialization=False), "torch", KEPT),
    "a.npy": (npy(np.array(TABLE)), "numpy", KEPT),
    "a.npz": (npz(loads=TABLE), "numpy", KEPT),
    "a.csv": (b"0,0\n1,2\n", "csv", KEPT),
    "a.txt": (b"x,y\n0,0\n1,2\n", "csv", KEPT),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_recognised_by_its_content(tmp_path, name):
    data, format_name, expected = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    assert read_loads(path) == read_loads(str(path), format=format_name) == expected
    assert read_loads(path).source == name


@pytest.mark.parametrize("name", ["a.json", "a.pt", "b.pt", "a.npy", "a.npz"])
def test_the_name_does_not_decide(tmp_path, name):
    data, _, expected = FILES[name]
    (tmp_path / "data.csv").write_bytes(data)
    assert read_loads(tmp_path / "data.csv") == expected


@pytest.mark.parametrize("asked", ["sglang", "numpy", "csv", "torch"])
@pytest.mark.parametrize("name", FILES)
def test_another_format_than_the_content_is_refused_in_one_sentence(tmp_path, name, asked):
    data, format_name, _ = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    if asked == format_name:
        return
    with pytest.raises(FileFormatError) as info:
        read_loads(path, format=asked)
    assert str(info.value).startswith(str(path))
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b'{"physical_to_logical_map": [[0, 1]]}'),
        ("a.json", b"[[1, 2]]"),
        ("a.log", b"1,2\n"),
        ("a.pt", saved({"records": []})),
    ],
)
def test_an_unknown_content_lists_the_formats(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileFormatError, match="formats: sglang, numpy, csv, torch") as info:
        read_loads(tmp_path / name)
    assert str(tmp_path / name) in str(info.value)


def test_a_table_of_any_name_is_read_when_asked_for(tmp_path):
    (tmp_path / "a.log").write_text("1,2\n")
    assert read_loads(tmp_path / "a.log", format="csv") == Loads([[1, 2]])


def test_several_files_are_several_windows(tmp_path):
    for name, tokens in (("a.json", 1), ("b.json", 2)):
        (tmp_path / name).write_text(json.dumps({"logical_count": [[[0], [tokens]], [[0], [tokens]]]}))
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    both = read_loads(paths)
    assert both.values.tolist() == [[[2]], [[4]]]
    assert both.layer_ids == (1,)
    assert both.source == "a.json, b.json"
    assert read_loads(paths, windows=2).values.tolist() == [[[1]], [[1]], [[2]], [[2]]]


@pytest.mark.parametrize("windows", [0, -1, 1.5, True, "2", None])
def test_windows_is_a_positive_integer(tmp_path, windows):
    with pytest.raises(InvalidArgumentError, match="windows="):
        read_loads(tmp_path / "a.json", windows=windows)


def test_mistakes_in_arguments_are_sentences(tmp_path):
    with pytest.raises(InvalidArgumentError, match="format='xml' is not one of auto, sglang, numpy, csv, torch"):
        read_loads("a.xml", format="xml")
    with pytest.raises(InvalidArgumentError, match="paths is empty"):
        read_loads([])
    for path in (3, None, b"a.npy"):
        with pytest.raises(EplbOptError, match="cannot be read"):
            read_loads([path])
    with pytest.raises(EplbOptError, match="None cannot be read"):
        read_loads(None)
    with pytest.raises(FileFormatError, match="does not exist"):
        read_loads(tmp_path / "absent.json")


def test_a_file_of_zeros_among_others_is_refused_by_name(tmp_path):
    (tmp_path / "a.csv").write_text("1\n")
    (tmp_path / "zero.csv").write_text("0\n")
    with pytest.raises(InvalidLoadsError, match=r"zero\.csv: no token"):
        read_loads([tmp_path / "a.csv", tmp_path / "zero.csv"])


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".json", ".csv", ".NPZ"])
@pytest.mark.parametrize("values", [[[1, 2], [3, 4]], [[0.1, 1e300], [5e-324, 0]]])
def test_loads_written_are_read_back(tmp_path, suffix, values):
    written = Loads(values)
    write_loads(written, tmp_path / f"a{suffix}")
    assert read_loads(tmp_path / f"a{suffix}") == written


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".json"])
def test_windows_written_are_read_back(tmp_path, suffix):
    written = Loads(np.arange(1, 13).reshape(3, 2, 2))
    write_loads(written, tmp_path / f"a{suffix}")
    assert read_loads(tmp_path / f"a{suffix}", windows=3) == written


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.pt"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name):
    with pytest.raises(FileFormatError, match=r"loads are written as \.npz, \.npy, \.json, \.csv"):
        write_loads(KEPT, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_target_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "a.csv").mkdir()
    for name in ("a.csv", "absent/a.npz"):
        with pytest.raises(EplbOptError, match="cannot be written"):
            write_loads(KEPT, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_decode_recording_of_deepseek_v3_has_58_layers_of_61(shared_data):
    loads = read_loads(shared_data / "deepseek-v3" / "decode_in2000out100.json")
    assert loads.values.shape == (1, 58, 256)
    assert loads.layer_ids == tuple(range(3, 61))
    assert loads.num_model_layers == 61


def test_every_recording_of_deepseek_v3_is_a_window_of_the_same_layers(shared_data, tmp_path):
    loads = read_loads(sorted((shared_data / "deepseek-v3").glob("*.json")))
    assert loads.values.shape == (8, 58, 256)
    for suffix in (".npz", ".json"):
        write_loads(loads, tmp_path / f"a{suffix}")
        assert read_loads(tmp_path / f"a{suffix}", windows=8) == loads


def test_recorded_windows_are_kept_or_summed(shared_data):
    path = shared_data / "deepseek-v2-lite-chat" / "loads.npz"
    steps = np.load(path)["loads"]
    each = read_loads(path, windows=93)
    assert np.array_equal(each.values, steps)
    assert each.layer_ids == tuple(range(26))
    assert np.array_equal(read_loads(path).values[0], steps.sum(axis=0))
    assert np.array_equal(read_loads(path, windows=2).values[0], steps[:47].sum(axis=0))


def test_torch_is_not_imported_before_a_file_needs_it():
    code = "import sys, eplb_opt.io; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
