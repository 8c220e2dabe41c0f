import numpy as np
import pytest

from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.io.recording import Recording, stack
from eplb_opt.loads import Loads

LARGEST = 2**63 - 1


def recording(values, name="a.json", **labels):
    return Recording.of(np.array(values), name, **labels)


def test_steps_are_summed_into_one_window():
    assert stack([recording([[[1, 2]], [[3, 4]], [[5, 6]]])], 1).values.tolist() == [[[9, 12]]]


def test_windows_are_contiguous_and_as_equal_as_possible():
    # Five steps in two windows: three and two.
    assert stack([recording([[[2**step]] for step in range(5)])], 2).values.tolist() == [[[7]], [[24]]]


def test_as_many_windows_as_steps_are_the_steps():
    values = np.arange(1, 7).reshape(3, 1, 2)
    assert stack([recording(values)], 3) == Loads(values)


def test_more_windows_than_steps_name_the_file_and_the_largest_number():
    with pytest.raises(InvalidArgumentError, match=r"windows=3 is more than the steps of a\.json; largest: 2"):
        stack([recording(np.ones((2, 1, 1)))], 3)


def test_several_files_are_several_windows_in_order():
    one, two = recording([[[1]], [[2]]], "in/a.json"), recording([[[3]], [[4]]], "in/b.json")
    assert stack([one, two], 1).values.tolist() == [[[3]], [[7]]]
    assert stack([two, one], 2).values.tolist() == [[[3]], [[4]], [[1]], [[2]]]
    assert stack([one, two], 1).source == "a.json, b.json"


def test_integers_and_floats_keep_their_type():
    assert stack([recording([[[1]], [[2]]])], 1).values.dtype == np.int64
    assert stack([recording([[[1.5]], [[2.0]]])], 1).values.dtype == np.float64


def test_a_sum_reaches_the_largest_integer_exactly():
    assert stack([recording([[[LARGEST - 2]], [[1]], [[1]]])], 1).values.tolist() == [[[LARGEST]]]


@pytest.mark.parametrize("values", [[[[LARGEST, 0]], [[1, 0]]], [[[2**62]]] * 4, [[[1.7e308]], [[1.7e308]]]])
def test_a_sum_that_leaves_its_type_is_refused(values):
    with pytest.raises(InvalidLoadsError, match=r"a\.json: steps sum to more tokens than (int|float)64 holds"):
        stack([recording(values)], 1)


def test_a_negative_step_does_not_hide_in_a_sum():
    with pytest.raises(InvalidLoadsError, match=r"a\.json: load -1 at window 1"):
        recording([[[5]], [[-1]]])


def test_a_file_without_a_token_is_refused_by_name():
    with pytest.raises(InvalidLoadsError, match=r"a\.json: no token was recorded"):
        recording([[0, 0]])


def test_a_window_without_a_token_is_normal():
    assert stack([recording([[[1]], [[0]]])], 2).values.tolist() == [[[1]], [[0]]]


def test_a_layer_is_dropped_only_if_no_file_has_a_token_in_it():
    one = recording([[0, 0], [1, 0], [0, 0]], every_decoder_layer=True)
    two = recording([[0, 0], [0, 0], [0, 2]], "b.json", every_decoder_layer=True)
    both = stack([one, two], 1)
    assert both.layer_ids == (1, 2)
    assert both.num_model_layers == 3


def test_files_of_different_models_are_refused_by_both_names_and_numbers():
    table = np.ones((2, 4))
    different = {
        r"a\.json has 4 experts, b\.json has 3": recording(np.ones((2, 3)), "b.json"),
        r"a\.json has 2 layers, b\.json has 3": recording(np.ones((3, 4)), "b.json"),
        r"a\.json has 2 decoder layers in the model, b\.json has 5": recording(table, "b.json", num_model_layers=5),
        r"a\.json has layers 0-1, b\.json has layers 0, 2": recording(table, "b.json", layer_ids=(0, 2)),
    }
    for says, other in different.items():
        size = 3 if "0, 2" in says else 2
        with pytest.raises(InvalidLoadsError, match=says):
            stack([recording(table, num_model_layers=size), other], 1)
