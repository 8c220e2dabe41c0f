import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.io.recording import Recording, stack
from eplb_opt.loads import Loads

LARGEST = 2**53 - 1


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


def test_windows_have_a_length_and_a_shorter_rest_is_left_out():
    # Five steps in twos: 1 + 2, 4 + 8, and 16 is a rest.
    values = [[[2**step]] for step in range(5)]
    assert stack([recording(values)], window_length=2).values.tolist() == [[[3]], [[12]]]
    assert stack([recording(values)], window_length=5).values.tolist() == [[[31]]]


def test_a_window_longer_than_a_file_is_refused_by_name():
    with pytest.raises(InvalidArgumentError, match=r"window_length=3 is more than the steps of a\.json: 2"):
        stack([recording(np.ones((2, 1, 1)))], window_length=3)


def test_windows_that_leave_out_every_token_are_refused():
    with pytest.raises(InvalidLoadsError, match=r"a\.json: no token was recorded"):
        stack([recording([[[0]], [[0]], [[1]]])], window_length=2)


@given(
    steps=st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any),
    windows=st.integers(1, 12),
    block=st.integers(1, 5),
)
def test_windows_are_those_of_numpy_however_a_file_is_cut_into_blocks(steps, windows, block):
    values = np.array(steps).reshape(-1, 1, 1)
    blocks = [Loads(values[start : start + block]) for start in range(0, len(steps), block)]
    cut = Recording("a.json", blocks)
    parts = [part.sum(axis=0).tolist() for part in np.array_split(values, min(windows, len(steps)))]
    assert stack([cut], min(windows, len(steps))).values.tolist() == parts
    assert cut.steps == Loads(values)
    length = min(windows, len(steps))
    whole = values[: len(steps) // length * length].reshape(-1, length, 1, 1).sum(axis=1)
    if whole.any():
        assert np.array_equal(stack([cut], window_length=length).values, whole)


def test_blocks_of_one_file_are_of_one_model():
    blocks = [Loads(np.ones((1, 2)), source="a.json line 1"), Loads(np.ones((1, 3)), source="a.json line 2")]
    with pytest.raises(InvalidLoadsError, match=r"a\.json line 1 has 2 experts, a\.json line 2 has 3"):
        stack([Recording("a.json", blocks)])


def test_a_file_without_a_step_is_refused_by_name():
    with pytest.raises(InvalidLoadsError, match=r"a\.json holds no recorded step"):
        stack([Recording("a.json", [])])


def test_steps_of_integers_and_floats_are_summed_as_floats():
    blocks = [Loads([[2**52]]), Loads([[0.5]]), Loads([[2]])]
    # 2**52 + 0.5 is rounded to 2**52, as every sum of floats is; integers before it are not.
    assert stack([Recording("a.json", blocks)]).values.tolist() == [[[2.0**52 + 2]]]
    assert stack([recording([[2**52 + 1]]), recording([[0.5]], "b.json")]).values.tolist() == [[[2**52 + 1]], [[0.5]]]


def test_several_files_are_several_windows_in_order():
    one, two = recording([[[1]], [[2]]], "in/a.json"), recording([[[3]], [[4]]], "in/b.json")
    assert stack([one, two], 1).values.tolist() == [[[3]], [[7]]]
    assert stack([two, one], 2).values.tolist() == [[[3]], [[4]], [[1]], [[2]]]
    assert stack([one, two], 1).source == "a.json, b.json"


def test_the_source_says_what_the_files_hold_and_says_it_once():
    one, two = (Recording(name, [Loads([[1]])], what="CSV table") for name in ("in/a.csv", "in/b.csv"))
    assert stack([one]).source == "a.csv (CSV table)"
    assert stack([one, two]).source == "a.csv, b.csv (CSV table)"
    assert stack([one, Recording("..", [Loads([[1]])], what="SGLang per_pass")]).source == (
        "a.csv (CSV table), .. (SGLang per_pass)"
    )


def test_integers_and_floats_keep_their_type():
    assert stack([recording([[[1]], [[2]]])], 1).values.dtype == np.int64
    assert stack([recording([[[1.5]], [[2.0]]])], 1).values.dtype == np.float64


def test_a_sum_reaches_the_largest_integer_exactly():
    assert stack([recording([[[LARGEST - 2]], [[1]], [[1]]])], 1).values.tolist() == [[[LARGEST]]]


@pytest.mark.parametrize("steps", [[[[LARGEST, 0]], [[1, 0]]], [[[2.0**52]]] * 4, [[[2**52]]] * 4096])
def test_steps_that_sum_to_more_than_anybody_counts_are_refused(steps):
    with pytest.raises(InvalidLoadsError, match=r"a\.json: the sum of steps is 2\*\*53 tokens or more"):
        stack([Recording("a.json", [Loads(step) for step in steps])], 1)


def test_a_negative_step_does_not_hide_in_a_sum():
    with pytest.raises(InvalidLoadsError, match=r"a\.json: load -1 at window 1"):
        recording([[[5]], [[-1]]])


def test_layers_that_no_model_has_are_refused():
    for labels in ({"layer_ids": [10**4]}, {"num_model_layers": 10**18, "numbering": "moe"}):
        with pytest.raises(InvalidLoadsError, match=r"a\.json: layer \d+ is beyond the 10000 layers"):
            recording([[1]], **labels)
    assert recording([[1]], layer_ids=[9999]).steps.num_model_layers == 10**4


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
    assert both.labels.moe_layer_ids == (1, 2)


def test_labels_of_the_layers_with_experts_are_kept():
    for moe_layer_ids in ((0, 1, 4), None):
        labels = {"layer_ids": (1, 4), "num_model_layers": 6, "moe_layer_ids": moe_layer_ids}
        assert stack([recording([[1, 0], [0, 1]], **labels)]).labels.moe_layer_ids == moe_layer_ids


def test_files_of_different_models_are_refused_by_both_names_and_numbers():
    table = np.ones((2, 4))
    different = {
        r"a\.json has 4 experts, b\.json has 3": recording(np.ones((2, 3)), "b.json"),
        r"a\.json has 2 layers, b\.json has 3": recording(np.ones((3, 4)), "b.json"),
        r"a\.json has 2 layers in the model, b\.json has 5": recording(table, "b.json", num_model_layers=5),
        r"a\.json has layers 0-1, b\.json has layers 0, 2": recording(table, "b.json", layer_ids=(0, 2)),
        r"a\.json has layers 0-1, b\.json has MoE layers 0-1": recording(table, "b.json", numbering="moe"),
        r"a\.json has experts in layers 0-1, b\.json has experts in layers that are not known": recording(
            table, "b.json", moe_layer_ids=None
        ),
    }
    for says, other in different.items():
        size = 3 if "0, 2" in says else 2
        with pytest.raises(InvalidLoadsError, match=says):
            stack([recording(table, num_model_layers=size), other], 1)


def test_windows_of_several_files_are_called_by_the_files():
    one, two = (Recording(name, [Loads(np.ones((2, 1, 4)))]) for name in ("a/x.json", "b/y.json"))
    assert stack([one]).window_names == ("window 0",)
    assert stack([one, two]).window_names == ("x.json", "y.json")
    assert stack([one, two], 2).window_names == tuple(f"{f}.json, window {k}" for f in "xy" for k in (0, 1))
    same = Recording("c/x.json", [Loads(np.ones((2, 1, 4)))])
    assert stack([one, same]).window_names == ("a/x.json", "c/x.json")
    assert stack([one, same]).source.startswith("a/x.json, c/x.json")
