import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidLoadsError
from eplb_opt.io import read_loads
from eplb_opt.loads import Loads
from tests.examples import examples
from tests.io.recordings import write_statistic

# Two iterations of decoder layers 3 and 5, as one rank counts them.
ONE = {"100_3": [5, 1, 0, 2], "100_5": [1, 1, 1, 1], "101_3": [4, 2, 1, 1], "101_5": [0, 0, 0, 8]}


def test_ranks_are_summed_and_iterations_are_steps(tmp_path):
    other = {key: [10, 20, 30, 40] for key in ONE}
    folder = write_statistic(tmp_path / "stats", [ONE, other], 4)
    values = [[[15, 21, 30, 42], [11, 21, 31, 41]], [[14, 22, 31, 41], [10, 20, 30, 48]]]
    assert read_loads(folder, windows=2) == Loads(values, (3, 5))
    assert read_loads(folder, window_length=1) == Loads(values, (3, 5))
    assert read_loads(folder) == Loads(np.sum(values, axis=0), (3, 5))


def test_layers_keep_their_decoder_ids_and_others_have_no_experts(tmp_path):
    loads = read_loads(write_statistic(tmp_path / "stats", [ONE], 4))
    assert (loads.numbering, loads.layer_ids, loads.num_model_layers) == ("decoder", (3, 5), 6)
    assert loads.labels.moe_layer_ids == (3, 5)


def test_numbers_are_ordered_as_numbers(tmp_path):
    counts = {f"{iteration}_{layer}": [iteration, layer] for iteration in (9, 10) for layer in (2, 10)}
    steps = read_loads(write_statistic(tmp_path / "stats", [counts] * 11, 2), windows=2)
    # Eleven ranks, of which rank 10 comes after rank 2.
    assert steps == Loads([[[99, 22], [99, 110]], [[110, 22], [110, 110]]], (2, 10))


def test_a_layer_without_a_token_is_kept(tmp_path):
    counts = {"0_3": [1, 2], "0_4": [0, 0]}
    assert read_loads(write_statistic(tmp_path / "stats", [counts], 2)) == Loads([[1, 2], [0, 0]], (3, 4))


def test_other_files_are_left_out(tmp_path):
    folder = write_statistic(tmp_path / "stats", [ONE], 4)
    for name in ("rank0_raw.safetensors", "rank00.safetensors", "cooccurrence_rank0.safetensors", "rank1.json"):
        (folder / name).write_bytes(b"something else")
    assert read_loads(folder, windows=2).values[0].tolist() == [[5, 1, 0, 2], [1, 1, 1, 1]]


@given(st.lists(st.lists(st.lists(st.integers(0, 2**50), min_size=2, max_size=2), min_size=2, max_size=2), min_size=1))
@examples(20)
def test_the_sum_is_that_of_all_tensors(tmp_path_factory, ranks):
    ranks[0][0][0] += 1
    written = [{f"7_{layer}": counts for layer, counts in enumerate(rank)} for rank in ranks]
    folder = write_statistic(tmp_path_factory.mktemp("stats"), written, 2)
    assert read_loads(folder) == Loads(np.sum(ranks, axis=0))


def without(key):
    return {known: counts for known, counts in ONE.items() if known != key}


BAD = {
    "gap": ([{"100_3": [1, 1], "102_3": [1, 1]}], 2, "rank0.* has iteration 100 and then 102"),
    "hole": ([without("101_5")], 4, "rank0.* has no counts of layer 5 in iteration 101"),
    "another key": ([ONE, without("101_5")], 4, "different keys; in one of them only: '101_5'$"),
    "no layer": ([{"100_None": [1, 1]}], 2, "has the key '100_None', which is no iteration and layer"),
    "padded key": ([{"100_3": [1, 1], "100_03": [1, 1]}], 2, "has the key '100_03'"),
    "huge layer": ([{"1_99999": [1, 1]}], 2, "has the key '1_99999'"),
    "other width": ([ONE], 5, r"'100_3' has shape \(4,\), and num_experts is 5"),
    "huge width": ([ONE], 10**18, r"'100_3' has shape \(4,\), and num_experts is 1000000000000000000"),
    "two axes": ([{"1_1": [[1, 1]]}], 2, r"'1_1' has shape \(1, 2\)"),
    "floats": ([{"1_1": [0.5, 1]}], 2, "iteration 1 holds float64 numbers, not counts"),
    "negative": ([{"1_1": [5, 5]}, {"1_1": [-1, 5]}], 2, "rank1.*, iteration 1: load -1 at"),
    "too many": ([{"1_1": [2**52, 1]}] * 2, 2, r"the sum of ranks is 2\*\*53 tokens or more"),
    "no experts": ([ONE], 0, "says num_experts=0, which is not a positive number"),
    "other experts": ([ONE], "4", "meta_info.json: 'num_experts' is '4', not int"),
    "no key": ([{}], 4, "holds no recorded step"),
    "zeros": ([{"1_1": [0, 0]}], 2, "no token was recorded"),
}


@pytest.mark.parametrize(("ranks", "experts", "says"), BAD.values(), ids=BAD)
def test_folders_that_hold_no_statistic_are_refused_by_place(tmp_path, ranks, experts, says):
    folder = write_statistic(tmp_path / "stats", ranks, experts)
    with pytest.raises(EplbOptError, match=says) as info:
        read_loads(folder)
    assert isinstance(info.value, FileFormatError | InvalidLoadsError)
    assert str(info.value).startswith(str(folder))
    assert "\n" not in str(info.value)


def test_the_files_of_all_ranks_are_needed(tmp_path):
    folder = write_statistic(tmp_path / "stats", [ONE, ONE, ONE], 4)
    (folder / "rank1.safetensors").unlink()
    with pytest.raises(FileFormatError, match=r"stats has no rank1\.safetensors"):
        read_loads(folder)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 8,
        struct.pack("<Q", 2**62) + b"{}",
        # A header that claims a terabyte, and four bytes behind it.
        (lambda header: struct.pack("<Q", len(header)) + header + b"\0" * 4)(
            json.dumps({"1_1": {"dtype": "I64", "shape": [2**37], "data_offsets": [0, 2**40]}}).encode()
        ),
        (lambda header: struct.pack("<Q", len(header)) + header)(b"[" * 10_000),
    ],
)
def test_a_damaged_file_is_refused_without_its_memory(tmp_path, data):
    folder = write_statistic(tmp_path / "stats", [{"1_1": [1, 2]}], 2)
    (folder / "rank0.safetensors").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"rank0\.safetensors is no readable safetensors file") as info:
        read_loads(folder)
    assert "\n" not in str(info.value)


def test_a_type_that_numpy_has_not_is_refused(tmp_path):
    folder = write_statistic(tmp_path / "stats", [{"1_1": [1, 2]}], 2)
    header = json.dumps({"1_1": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (folder / "rank0.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    with pytest.raises(EplbOptError, match="1_1") as info:
        read_loads(folder)
    assert "\n" not in str(info.value)


def test_small_integers_are_counts_too(tmp_path):
    folder = write_statistic(tmp_path / "stats", [{"1_1": [1, 2]}], 2)
    save_file({"1_1": np.array([200, 100], dtype=np.uint8)}, folder / "rank1.safetensors")
    assert read_loads(folder).values.tolist() == [[[201, 102]]]
