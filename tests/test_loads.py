"""Recorded loads: every accepted shape and type, values that cannot change, one sentence per mistake."""

import dataclasses
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import EplbOptError, InvalidLoadsError
from eplb_opt.loads import Loads


def message(values, **kwargs) -> str:
    with pytest.raises(InvalidLoadsError) as caught:
        Loads(values, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("shape", "expected"), [((4,), (1, 1, 4)), ((3, 4), (1, 3, 4)), ((2, 3, 4), (2, 3, 4)), ((1, 1, 1), (1, 1, 1))]
)
@pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, torch.tensor], ids=["array", "list", "tensor"])
def test_every_accepted_shape_becomes_windows_layers_experts(shape, expected, convert):
    array = np.arange(np.prod(shape)).reshape(shape)
    loads = Loads(convert(array))
    assert loads.values.shape == expected == (loads.num_windows, loads.num_layers, loads.num_experts)
    assert np.array_equal(loads.values.reshape(shape), array)
    assert loads.layer_ids == tuple(range(expected[1]))


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, np.int64, np.bool_])
def test_integers_are_int64(kind):
    loads = Loads(np.array([0, 1], dtype=kind))
    assert loads.values.dtype == np.int64
    assert loads.values.tolist() == [[[0, 1]]]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_are_float64(kind):
    loads = Loads(np.array([0.5, 0.1], dtype=kind))
    assert loads.values.dtype == np.float64
    assert loads.values[0, 0, 1] == float(kind(0.1))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(torch.bfloat16, np.float64), (torch.float16, np.float64), (torch.float32, np.float64), (torch.int32, np.int64)],
)
def test_torch_tensors_keep_their_exact_values(kind, expected):
    tensor = torch.tensor([[3, 5], [0, 128]], dtype=kind)
    loads = Loads(tensor)
    assert loads.values.dtype == expected
    assert loads.values.tolist() == [[[3, 5], [0, 128]]]


def test_bfloat16_is_not_rounded_again():
    # The bfloat16 nearest to 0.1 is 205 / 2048.
    assert Loads(torch.tensor([0.1, 1.0], dtype=torch.bfloat16)).values[0, 0, 0] == 205 / 2048


def test_a_tensor_that_requires_grad_is_read_as_it_is():
    assert Loads(torch.tensor([1.0, 2.0], requires_grad=True)).values.tolist() == [[[1, 2]]]


def test_a_tensor_that_is_a_strided_view_is_read_as_it_is():
    assert Loads(torch.arange(6).reshape(2, 3).T).values.tolist() == [[[0, 3], [1, 4], [2, 5]]]


def test_a_list_of_tensors_is_read_as_layers():
    assert Loads([torch.tensor([1, 2]), torch.tensor([3, 4])]).values.tolist() == [[[1, 2], [3, 4]]]


def test_a_list_of_tensors_that_require_grad_or_are_bfloat16_is_read_as_layers():
    layers = [torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0]).bfloat16()]
    assert Loads(layers).values.tolist() == [[[1, 2], [3, 4]]]


def test_the_largest_and_the_smallest_load_are_kept_exactly():
    assert Loads([2**53 - 1, 0]).values[0, 0, 0] == 2**53 - 1
    assert Loads(np.array([2**53 - 1], dtype=np.uint64)).values[0, 0, 0] == 2**53 - 1
    assert Loads([2.0**53 - 1, 0]).values[0, 0, 0] == 2**53 - 1
    assert Loads([1e-200, 0.0]).values[0, 0, 0] == 1e-200
    # Next to a float, every integer that is a load is a float too.
    assert Loads([2**53 - 2, 0.5]).values[0, 0].tolist() == [2**53 - 2, 0.5]


def test_writing_into_loads_raises():
    loads = Loads([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        loads.values[0, 0, 0] = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        loads.values = np.zeros((1, 1, 2))


@pytest.mark.parametrize("kind", [np.int64, np.float64, np.int32])
def test_the_caller_s_array_is_copied_and_stays_writable(kind):
    array = np.ones((2, 3, 4), dtype=kind)
    loads = Loads(array)
    array[:] = 7
    assert loads.values.max() == 1


def test_the_caller_s_tensor_is_copied():
    tensor = torch.ones(3, dtype=torch.int64)
    loads = Loads(tensor)
    tensor += 6
    assert loads.values.max() == 1


def test_read_only_loads_may_be_given_again():
    loads = Loads([1, 2])
    assert Loads(loads.values) == loads


def test_of_keeps_loads_and_wraps_the_rest():
    loads = Loads([1, 2], source="here")
    assert Loads.of(loads) is loads
    assert Loads.of([1, 2]) == loads


def test_equal_loads_have_equal_values_and_layers():
    assert Loads([[1, 2]]) == Loads(np.array([1.0, 2.0]))
    assert Loads([[1, 2]]) != Loads([[1, 3]])
    assert Loads([[1, 2]]) != Loads([[1, 2]], layer_ids=(3,))
    assert Loads([[1, 2]]) != Loads([[1, 2]], num_model_layers=5)
    assert Loads([[1, 2]]) != "loads"
    with pytest.raises(TypeError):
        hash(Loads([1]))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_no_load_is_named_with_its_position(value):
    values = np.ones((2, 3, 4))
    values[1, 2, 0] = value
    text = message(values)
    assert text.startswith(f"load {value} at window 1, layer row 2, expert 0 ")


def test_the_first_of_several_wrong_values_is_named():
    assert message([[1, 2, 3], [4, -5, -6]]).startswith("load -5 at window 0, layer row 1, expert 1 ")


@pytest.mark.parametrize("values", [["1", "2"], [b"1"], [None, 1], [1 + 2j], [{}], "abc", torch.tensor([1j])])
def test_what_is_no_number_is_refused(values):
    assert "numbers" in message(values) or "shape" in message(values)


@pytest.mark.parametrize("values", [[[1, 2], [3]], [[1, 2], 3], [[[1], [2, 3]]]])
def test_ragged_lists_are_refused(values):
    assert "ragged" in message(values)


def test_a_ragged_list_of_tensors_is_refused():
    assert "ragged" in message([torch.ones(2), torch.ones(3)])


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4), (2, 0, 4)])
def test_empty_loads_are_refused(shape):
    assert f"{shape} are empty" in message(np.zeros(shape))


@pytest.mark.parametrize("shape", [(), (1, 1, 1, 4)])
def test_wrong_dimensions_are_refused_with_the_right_ones(shape):
    text = message(np.ones(shape))
    assert str(shape) in text
    assert "(windows, layers, experts)" in text


@pytest.mark.parametrize("load", [2**53, 2**53 + 1, 2**62, 2**63, 2**70, 10**400, 2.0**53, 1e300])
def test_a_load_that_nobody_counts_is_refused_with_its_place_and_a_way_out(load):
    text = message([[1, 2], [3, load]])
    assert re.match(r"load \S+ at window 0, layer row 1, expert 1 is 2\*\*53 tokens or more", text)
    assert text.endswith("divide all loads by one number")


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.float64])
def test_a_layer_that_nobody_counts_is_refused_by_name(kind):
    values = np.zeros((2, 3, 2), dtype=kind)
    values[0, 1], values[1, 1] = (2**52, 2**51), (2**50, 2**50 - 1)
    assert Loads(values).values[:, 1].sum() == 2**53 - 1
    values[1, 1, 1] += 1
    assert message(values).startswith("the sum of layer row 1 over windows and experts is 2**53 tokens or more")
    # Sums of these leave int64, and come back above 0.
    assert message(np.full((2, 1, 2048), 2**52 - 1, dtype=kind)).startswith("the sum of layer row 0")


def test_a_float_that_is_next_to_nothing_is_refused_with_its_place_and_a_way_out():
    assert message([0.0, 5e-324]) == (
        "load 5e-324 at window 0, layer row 0, expert 1 is not 0 and below 1e-200 tokens: multiply all loads by one "
        "number, or write 0"
    )


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_the_smallest_number_of_a_short_float_is_a_load(kind):
    smallest = np.finfo(kind).smallest_subnormal
    assert Loads(np.array([smallest])).values[0, 0, 0] == float(smallest)


def test_a_negative_integer_below_int64_is_not_called_too_large():
    assert "is not a finite, non-negative number" in message([1, -(2**70)])


@pytest.mark.parametrize("ids", [(0,), (0, 1, 2), (1, 1), (2, 1), (-1, 0), ("a", "b"), (0.0, 1.0), 7])
def test_layer_ids_are_increasing_integers_one_per_layer(ids):
    assert "layer" in message([[1, 2], [3, 4]], layer_ids=ids)


def test_layer_ids_may_skip_dense_layers():
    loads = Loads([[1, 2], [3, 4]], layer_ids=np.array([3, 4]))
    assert loads.layer_ids == (3, 4)
    assert type(loads.layer_ids[0]) is int
    assert loads.num_model_layers == 5


def test_the_model_has_at_least_the_recorded_layers():
    assert Loads([[1], [2]], layer_ids=(3, 4), num_model_layers=61).num_model_layers == 61
    assert "num_model_layers=4" in message([[1], [2]], layer_ids=(3, 4), num_model_layers=4)
    assert "num_model_layers=-1" in message([[1], [2]], num_model_layers=-1)


@pytest.mark.parametrize("value", ["61", 61.0])
def test_the_number_of_model_layers_is_an_integer(value):
    assert repr(value) in message([[1], [2]], num_model_layers=value)


def test_loads_errors_are_value_errors_of_one_family():
    assert issubclass(InvalidLoadsError, ValueError)
    assert issubclass(InvalidLoadsError, EplbOptError)


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=6))
def test_integers_are_never_rounded(values):
    assert Loads(values).values.ravel().tolist() == values


@given(st.lists(st.floats(1e-200, 2.0**50) | st.just(0.0), min_size=1, max_size=6))
def test_floats_are_never_rounded(values):
    assert Loads(values).values.ravel().tolist() == values


def test_loaded_says_which_layers_have_load_in_which_windows():
    loads = Loads([[[0, 5], [0, 0]], [[0, 0.0], [1e-200, 0]]])
    assert loads.loaded.tolist() == [[True, False], [False, True]]
    with pytest.raises(ValueError, match="read-only"):
        loads.loaded[0, 0] = False


@pytest.mark.parametrize(
    "values",
    [
        torch.eye(2).to_sparse(),
        torch.empty(2, 2, device="meta"),
        [torch.eye(2).to_sparse()],
    ],
    ids=["sparse", "meta", "in a list"],
)
def test_tensors_without_dense_numbers_are_refused(values):
    assert message(values) == "the loads are no dense array of numbers"


def test_what_arrays_would_forget_is_refused_at_any_depth():
    hidden = np.ma.masked_equal([1, 6], 6)
    for values in (hidden, [hidden], [[hidden, hidden]], ([np.ma.masked, 1],)):
        assert "masked array with hidden values" in message(values)
    for values in (pd.DataFrame([[1, 2]]), [pd.Series([1, 2], index=[1, 0])], [pd.DataFrame([[1, 2]])]):
        assert "whose labels are not read" in message(values)


def test_objects_are_read_where_they_are_numbers():
    assert Loads(np.array([[2**52 + 1, 2]], dtype=object)).values.tolist() == [[[2**52 + 1, 2]]]
    assert "entry [0][1] is Decimal('2'), no number" in message(np.array([[1, Decimal(2)]], dtype=object))
    assert Loads([[torch.tensor(1.0, requires_grad=True), torch.tensor(2.0)]]).values.tolist() == [[[1, 2]]]


def test_a_name_of_a_file_is_no_loads():
    assert message("decode.json") == "loads are 'decode.json', not numbers; read_loads reads files"


def test_windows_have_names_for_people():
    values = np.ones((2, 1, 4))
    assert Loads(values).window_names == ("window 0", "window 1")
    named = Loads(values, window_names=("a.json", "b.json"))
    assert named.window_names == ("a.json", "b.json")
    # As the source, they are not what loads are.
    assert named == Loads(values)
    with pytest.raises(InvalidLoadsError, match="there are 1 window_names for 2 windows"):
        Loads(values, window_names=("a.json",))
    with pytest.raises(InvalidLoadsError, match="window_names='ab' is not a list of names"):
        Loads(values, window_names="ab")
