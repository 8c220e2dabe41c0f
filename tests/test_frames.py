import numpy as np
import pandas as pd
import pytest

from eplb_opt.errors import InvalidLoadsError
from eplb_opt.frames import loads_of_frame
from eplb_opt.loads import Loads

VALUES = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("name", ["layer", "layer_id"])
def test_an_index_or_a_column_of_that_name_gives_the_decoder_layers(name):
    expected = Loads(VALUES, (3, 7))
    frame = pd.DataFrame(VALUES, index=pd.Index([3, 7], name=name))
    assert loads_of_frame(frame) == loads_of_frame(frame.reset_index()) == expected
    assert loads_of_frame(frame.set_axis([0, 1], axis=0).rename_axis(name)) == Loads(VALUES, (0, 1))


def test_an_index_without_a_name_gives_them_unless_it_counts_from_0():
    assert loads_of_frame(pd.DataFrame(VALUES, index=[3, 7])) == Loads(VALUES, (3, 7))
    assert loads_of_frame(pd.DataFrame(VALUES)) == Loads(VALUES)


def test_columns_may_have_names():
    assert loads_of_frame(pd.DataFrame(VALUES, columns=["a", "b", "c"])) == Loads(VALUES)


def test_integers_stay_exact_next_to_each_other_and_not_next_to_floats():
    small = pd.DataFrame({"a": np.array([1], np.uint8), "b": np.array([2**62 + 1], np.int64)})
    assert loads_of_frame(small).values.tolist() == [[[1, 2**62 + 1]]]
    with pytest.raises(InvalidLoadsError, match="would be rounded next to floats"):
        loads_of_frame(pd.DataFrame({"a": [2**53 + 1], "b": [0.5]}))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame(VALUES, columns=[2, 0, 1]), r"columns are not experts 0 to 2 in order: 2, 0, 1"),
        (pd.DataFrame(VALUES, columns=["1", "2", "3"]), "columns are not experts 0 to 2"),
        (pd.DataFrame(VALUES, index=["a", "b"]), "layer ids are not integers"),
        (pd.DataFrame(VALUES, index=[1, 0]), "not increasing"),
        (pd.DataFrame(VALUES, index=[0, 0]), "not increasing"),
        (pd.DataFrame([["a"]]), "not numbers"),
        (pd.DataFrame([[None, 1]]), "not numbers"),
        (pd.DataFrame([[np.nan, 1.0]]), "load nan"),
        (pd.DataFrame([[-1]]), "load -1"),
        (pd.DataFrame(), "empty"),
    ],
)
def test_frames_that_hold_no_loads_are_refused(frame, says):
    with pytest.raises(InvalidLoadsError, match=says):
        loads_of_frame(frame)
