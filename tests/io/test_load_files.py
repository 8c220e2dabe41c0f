import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidArgumentError, InvalidLoadsError
from eplb_opt.io import read_loads, write_loads
from eplb_opt.loads import Loads
from tests.io.containers import npy, npz, saved
from tests.io.recordings import META, history, lines, stats, write_passes, write_statistic

TABLE = [[0, 0], [1, 2]]
COUNTED = Loads(TABLE, numbering="moe")
DROPPED = Loads([[1, 2]], (1,))
IN_ORDER = [[0, 1], [0, 1]]

FILES = {
    "a.json": (json.dumps({"logical_count": TABLE}).encode(), "sglang", "SGLang logical_count", DROPPED),
    "a.pt": (saved({"logical_count": torch.tensor(TABLE)}), "sglang", "SGLang logical_count", DROPPED),
    "a.jsonl": (lines(META, stats(TABLE, IN_ORDER)), "vllm", "vLLM expert loads", COUNTED),
    "one.json": (lines(stats(TABLE, IN_ORDER)), "vllm", "vLLM expert loads", COUNTED),
    "history.json": (history(TABLE), "load_history", "load_history", COUNTED),
    "b.pt": (saved(torch.tensor(TABLE)), "torch", "torch tensor", COUNTED),
    "b.pth": (
        saved(torch.tensor(TABLE), _use_new_zipfile_serialization=False),
        "torch",
        "torch tensor",
        COUNTED,
    ),
    "a.npy": (npy(np.array(TABLE)), "numpy", "NumPy array", COUNTED),
    "a.npz": (npz(loads=TABLE), "numpy", "NumPy array", COUNTED),
    "a.csv": (b"0,0\n1,2\n", "csv", "CSV table", COUNTED),
    "a.txt": (b"x0,x1\n0,0\n1,2\n", "csv", "CSV table", COUNTED),
}
FOLDERS = {
    "trtllm": (
        lambda folder: write_statistic(folder, [{"7_0": [0, 0], "7_1": [1, 2]}], 2),
        "TensorRT-LLM expert statistic",
        Loads(TABLE),
    ),
    "sglang": (lambda folder: write_passes(folder, [{7: TABLE}], IN_ORDER), "SGLang per_pass", DROPPED),
}
NAMES = "sglang, vllm, trtllm, load_history, numpy, csv, torch, instance"


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_recognised_by_its_content(tmp_path, name):
    data, format_name, what, expected = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    assert read_loads(path) == read_loads(str(path), format=format_name) == expected
    assert read_loads(path).source == f"{name} ({what})"


@pytest.mark.parametrize("format_name", FOLDERS)
def test_folders_are_recognised_by_the_files_in_them(tmp_path, format_name):
    write, what, expected = FOLDERS[format_name]
    folder = write(tmp_path / "stats")
    (folder / "rank0_raw.safetensors").write_bytes(b"not looked at")
    (folder / "notes.txt").write_text("nor this")
    assert read_loads(folder) == read_loads(f"{folder}/", format=format_name) == expected
    assert read_loads(folder).source == f"stats ({what})"


@pytest.mark.parametrize("name", ["a.json", "a.pt", "a.jsonl", "history.json", "b.pt", "a.npy", "a.npz"])
def test_the_name_does_not_decide(tmp_path, name):
    data, _, _, expected = FILES[name]
    (tmp_path / "data.csv").write_bytes(data)
    assert read_loads(tmp_path / "data.csv") == expected


@pytest.mark.parametrize("asked", NAMES.split(", "))
@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_another_format_than_the_content_is_refused_in_one_sentence(tmp_path, name, asked):
    path = tmp_path / name
    if name in FILES:
        path.write_bytes(FILES[name][0])
    else:
        FOLDERS[name][0](path)
    if asked == (FILES[name][1] if name in FILES else name):
        return
    with pytest.raises(FileFormatError) as info:
        read_loads(path, format=asked)
    assert str(info.value).startswith(str(path))
    assert "\n" not in str(info.value)


def test_what_is_of_two_formats_is_not_guessed(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"logical_count": TABLE, "load_history": [{"logical_expert_load": TABLE}]}))
    both = r"holds SGLang logical_count \(format='sglang'\) and load_history \(format='load_history'\); say which"
    with pytest.raises(FileFormatError, match=both):
        read_loads(path)
    assert read_loads(path, format="sglang") == DROPPED
    assert read_loads(path, format="load_history") == COUNTED
    for write, _, _ in FOLDERS.values():
        write(tmp_path / "both")
    with pytest.raises(FileFormatError, match=r"both holds SGLang per_pass .* and TensorRT-LLM expert statistic"):
        read_loads(tmp_path / "both")
    assert read_loads(tmp_path / "both", format="trtllm") == Loads(TABLE)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b"[[1, 2]]"),
        ("a.log", b"1,2\n"),
        ("a.pt", saved({"records": []})),
        ("a.jsonl", b'{"level": "info"}\n{"level": "info"}\n'),
    ],
)
def test_an_unknown_content_lists_the_formats(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileFormatError, match=f"not loads of a known format; formats: {NAMES}") as info:
        read_loads(tmp_path / name)
    assert str(tmp_path / name) in str(info.value)


def test_a_folder_without_recordings_says_what_it_holds(tmp_path):
    with pytest.raises(FileFormatError, match=f"is an empty folder, not loads of a known format; formats: {NAMES}"):
        read_loads(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"is a folder with 'a\.json', not loads"):
        read_loads(tmp_path)
    with pytest.raises(FileFormatError, match=r"is a folder with 'a\.json', not a file of format='numpy'"):
        read_loads(tmp_path, format="numpy")


def test_a_pipe_is_read_once():
    reader, writer = os.pipe()
    try:
        os.write(writer, lines(META, stats(TABLE, IN_ORDER)))
        os.close(writer)
        assert read_loads(f"/dev/fd/{reader}") == COUNTED
    finally:
        os.close(reader)


def test_a_table_of_any_name_is_read_when_asked_for(tmp_path):
    (tmp_path / "a.log").write_text("1,2\n")
    assert read_loads(tmp_path / "a.log", format="csv") == Loads([[1, 2]], numbering="moe")


def test_several_files_are_several_windows(tmp_path):
    for name, tokens in (("a.json", 1), ("b.json", 2)):
        (tmp_path / name).write_text(json.dumps({"logical_count": [[[0], [tokens]], [[0], [tokens]]]}))
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    both = read_loads(paths)
    assert both.values.tolist() == [[[2]], [[4]]]
    assert both.layer_ids == (1,)
    assert both.source == "a.json, b.json (SGLang logical_count)"
    assert read_loads(paths, windows=2).values.tolist() == [[[1]], [[1]], [[2]], [[2]]]
    assert read_loads(paths, window_length=1).values.tolist() == [[[1]], [[1]], [[2]], [[2]]]
    assert read_loads(paths, window_length=2) == both


def test_files_of_several_formats_are_windows_if_they_count_layers_alike(tmp_path):
    for name in ("a.npy", "a.jsonl", "a.json"):
        (tmp_path / name).write_bytes(FILES[name][0])
    both = read_loads([tmp_path / "a.npy", tmp_path / "a.jsonl"])
    assert both == Loads([TABLE, TABLE], numbering="moe")
    assert both.source == "a.npy (NumPy array), a.jsonl (vLLM expert loads)"
    with pytest.raises(InvalidLoadsError, match=r"a\.npy has MoE layers 0-1, \S*a\.json has layers 0-1"):
        read_loads([tmp_path / "a.npy", tmp_path / "a.json"])


def test_windows_of_a_length_leave_out_the_rest(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(7).reshape(7, 1, 1))
    # Steps 0-6 in threes: 0 + 1 + 2, 3 + 4 + 5, and 6 is a rest.
    assert read_loads(tmp_path / "a.npy", window_length=3).values.tolist() == [[[3]], [[12]]]
    with pytest.raises(InvalidArgumentError, match=r"window_length=8 is more than the steps of .*a\.npy: 7"):
        read_loads(tmp_path / "a.npy", window_length=8)


@pytest.mark.parametrize("window_length", [0, -1, 1.5, True, "2"])
def test_window_length_is_a_positive_integer(tmp_path, window_length):
    with pytest.raises(InvalidArgumentError, match="window_length="):
        read_loads(tmp_path / "a.json", window_length=window_length)


def test_windows_and_their_length_contradict_each_other(tmp_path):
    with pytest.raises(InvalidArgumentError, match="windows=2 and window_length=3 both say"):
        read_loads(tmp_path / "a.json", windows=2, window_length=3)


@pytest.mark.parametrize("windows", [0, -1, 1.5, True, "2", None])
def test_windows_is_a_positive_integer(tmp_path, windows):
    with pytest.raises(InvalidArgumentError, match="windows="):
        read_loads(tmp_path / "a.json", windows=windows)


def test_mistakes_in_arguments_are_sentences(tmp_path):
    with pytest.raises(InvalidArgumentError, match=f"format='xml' is not one of auto, {NAMES}"):
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
@pytest.mark.parametrize("values", [[[1, 2], [3, 4]], [[0.1, 1e15], [1e-200, 0]]])
def test_loads_written_are_read_back(tmp_path, suffix, values):
    written = Loads(values)
    write_loads(written, tmp_path / f"a{suffix}")
    counted = Loads(values, numbering="moe")
    assert read_loads(tmp_path / f"a{suffix}") == (counted if suffix == ".npy" else written)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv"])
def test_moe_layers_counted_from_0_are_read_back(tmp_path, suffix):
    written = Loads([[1, 2], [3, 4]], numbering="moe")
    write_loads(written, tmp_path / f"a{suffix}")
    assert read_loads(tmp_path / f"a{suffix}") == written


def test_json_of_sglang_needs_decoder_layers(tmp_path):
    with pytest.raises(FileFormatError, match=r"a\.json has a row per decoder layer, and the loads count MoE layers"):
        write_loads(Loads([[1]], numbering="moe"), tmp_path / "a.json")
    for moe_layer_ids in ((1, 2), None):
        with pytest.raises(FileFormatError, match=r"a\.json cannot say that other layers .* write \.npz"):
            write_loads(Loads([[1]], (1,), "", 3, "decoder", moe_layer_ids), tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".json"])
def test_windows_written_are_read_back(tmp_path, suffix):
    numbering = "decoder" if suffix == ".json" else "moe"
    written = Loads(np.arange(1, 13).reshape(3, 2, 2), numbering=numbering)
    write_loads(written, tmp_path / f"a{suffix}")
    assert read_loads(tmp_path / f"a{suffix}", windows=3) == written


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.pt"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name):
    with pytest.raises(FileFormatError, match=r"loads are written as \.npz, \.npy, \.json, \.csv"):
        write_loads(COUNTED, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_target_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "a.csv").mkdir()
    for name in ("a.csv", "absent/a.npz"):
        with pytest.raises(EplbOptError, match="cannot be written"):
            write_loads(COUNTED, tmp_path / name)
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
