import numpy as np
import pytest
import torch
from hypothesis import given

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidLoadsError
from eplb_opt.io.arrays import format_npy, format_npz, parse_arrays, parse_tensor
from eplb_opt.io.content import parse_content
from eplb_opt.io.recording import stack
from eplb_opt.loads import Loads
from tests.io.containers import npy, npz, saved
from tests.io.recordings import labelled_loads


def recorded(data):
    return parse_arrays(parse_content(data, "x.npz")).steps


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 2), (2, 1, 2)])
def test_an_array_may_have_one_to_three_axes(shape):
    values = np.arange(4).reshape(shape)
    assert recorded(npy(values)) == Loads(values, numbering="moe")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float16, ">i8"])
def test_numbers_of_every_width_become_int64_or_float64(dtype):
    steps = recorded(npy(np.array([[0, 3]], dtype=dtype)))
    assert steps.values.dtype == (np.float64 if np.dtype(dtype).kind == "f" else np.int64)
    assert steps.values.tolist() == [[[0, 3]]]


def test_rows_without_a_token_are_kept():
    recording = parse_arrays(parse_content(npy(np.array([[0, 0], [1, 2]])), "x.npy"))
    assert stack([recording], 1).layer_ids == (0, 1)


@pytest.mark.parametrize(
    "arrays",
    [
        {"loads": [[1, 2]], "logical_count": [[3]], "top_k": 6},
        {"logical_count": [[1, 2]], "other": [1]},
        {"anything": [[1, 2]]},
        {"anything": [[1, 2]], "layer_ids": [0]},
    ],
)
def test_loads_are_found_by_name_or_because_they_are_alone(arrays):
    assert recorded(npz(**arrays)).values.tolist() == [[[1, 2]]]


def test_labels_name_the_rows():
    steps = recorded(npz(loads=[[1, 2], [3, 4]], layer_ids=[3, 5], num_model_layers=9))
    assert steps == Loads([[1, 2], [3, 4]], (3, 5), num_model_layers=9)


def test_ids_may_count_moe_layers():
    steps = recorded(npz(loads=[[1, 2]], layer_ids=[3], num_model_layers=9, numbering="moe"))
    assert steps == Loads([[1, 2]], (3,), num_model_layers=9, numbering="moe")


def test_rows_without_ids_are_moe_layers_counted_from_0():
    for data in (npy(np.ones((2, 3))), npz(loads=np.ones((2, 3)))):
        assert (recorded(data).numbering, recorded(data).layer_ids) == ("moe", (0, 1))


def test_an_empty_list_of_moe_layers_says_that_they_are_not_known():
    assert recorded(npz(loads=[[1]], layer_ids=[3])).labels.moe_layer_ids == (3,)
    assert recorded(npz(loads=[[1]], layer_ids=[3], moe_layer_ids=[2, 3])).labels.moe_layer_ids == (2, 3)
    assert recorded(npz(loads=[[1]], layer_ids=[3], moe_layer_ids=[])).labels.moe_layer_ids is None


BAD = {
    "several": (npz(a=[1], b=[2]), "not a single other one: 'a', 'b'"),
    "none": (npz(), "damaged|not a single other one: none"),
    "only labels": (npz(layer_ids=[1]), "not a single other one: none"),
    "float labels": (npz(loads=[[1]], layer_ids=[0.5]), "layer_ids is of type float64"),
    "square labels": (npz(loads=[[1]], layer_ids=[[0]]), "layer_ids is of type"),
    "too many labels": (npz(loads=[[1]], layer_ids=[0, 1]), "2 layer ids for 1 layers"),
    "falling labels": (npz(loads=[[1], [1]], layer_ids=[1, 0]), "not increasing"),
    "two sizes": (npz(loads=[[1]], num_model_layers=[1, 2]), "num_model_layers holds 2 numbers"),
    "size alone": (npz(loads=[[1]], num_model_layers=4), "labels and no layer_ids"),
    "another numbering": (npz(loads=[[1]], numbering="dense"), "numbering is 'dense', not one of decoder, moe"),
    "number as numbering": (npz(loads=[[1]], numbering=[1, 2]), r"numbering is '\[1 2\]'"),
    "no MoE layer": (npz(loads=[[1]], layer_ids=[3], moe_layer_ids=[4]), "leaves no room for layer 4"),
    "small model": (npz(loads=[[1]], layer_ids=[3], num_model_layers=3), "leaves no room for layer 3"),
    "nan": (npy(np.array([1, np.nan])), "load nan at window 0, layer row 0, expert 1"),
    "negative step": (npy(np.array([[[5]], [[-1]]])), "load -1 at window 1"),
    "infinite": (npy(np.array([np.inf])), "load inf"),
    "text": (npy(np.array(["a"])), "not numbers"),
    "complex": (npy(np.array([1j])), "not numbers"),
    "fields": (npy(np.zeros(2, dtype=[("a", int)])), "not numbers"),
    "dates": (npy(np.array(["2020-01-01"], dtype="M8[D]")), "not numbers"),
    "four axes": (npy(np.ones((1, 1, 1, 1))), "shape"),
    "number": (npy(np.array(3)), "shape"),
    "empty": (npy(np.ones((0, 4))), "empty"),
    "zero": (npy(np.zeros((2, 4))), "no token was recorded"),
    "unsigned": (npy(np.array([2**63], dtype=np.uint64)), r"load \d+ .* is 2\*\*53 tokens or more"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_arrays_that_are_no_loads_are_refused_by_file_and_place(data, says):
    with pytest.raises(EplbOptError, match=says) as info:
        recorded(data)
    assert isinstance(info.value, FileFormatError | InvalidLoadsError)
    assert str(info.value).startswith("x.npz")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("dtype", [torch.int32, torch.bfloat16, torch.float32, torch.uint8])
def test_a_tensor_is_read_like_an_array(dtype):
    content = parse_content(saved(torch.tensor([[0, 0], [1, 2]], dtype=dtype)), "x.pt")
    assert parse_tensor(content).steps == Loads([[0, 0], [1, 2]], numbering="moe")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": torch.ones(2)}, "torch with keys 'a', not a saved tensor"),
        ([1, 2], r"torch \(list\), not a saved tensor"),
        (torch.tensor([[1.0, -2.0]]), r"load -2\.0"),
        (torch.tensor([1j]), "not numbers"),
        (torch.eye(2).to_sparse(), "no dense array"),
        (torch.ones(1).expand(10**12), r"shape \(1000000000000,\) repeats 4 stored bytes"),
    ],
)
def test_a_torch_file_without_loads_is_refused(value, says):
    with pytest.raises(EplbOptError, match=says) as info:
        parse_tensor(parse_content(saved(value), "x.pt"))
    assert str(info.value).startswith("x.pt")


@given(labelled_loads())
def test_npz_reads_back_exactly(written):
    back = recorded(format_npz(written, "x.npz"))
    assert back == written
    assert back.values.dtype == written.values.dtype


@given(labelled_loads() | labelled_loads().map(lambda drawn: Loads(drawn.values)))
def test_npy_reads_back_as_moe_layers_or_points_to_npz(written):
    if written.layer_ids == tuple(range(written.num_model_layers)):
        assert recorded(format_npy(written, "x.npy")) == Loads(written.values, numbering="moe")
    else:
        with pytest.raises(FileFormatError, match=r"x\.npy cannot hold layer ids.*\.npz"):
            format_npy(written, "x.npy")
