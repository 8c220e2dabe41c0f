import numpy as np
import pandas as pd
import pytest

from eplb_opt.errors import InvalidLoadsError
from eplb_opt.loads import Loads

VALUES = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("name", ["layer", "layer_id"])
def test_an_index_or_a_column_of_that_name_gives_the_decoder_layers(name):
    expected = Loads(VALUES, (3, 7))
    frame = pd.DataFrame(VALUES, index=pd.Index([3, 7], name=name))
    assert Loads.of(frame) == Loads.of(frame.reset_index()) == expected
    assert Loads.of(frame.set_axis([0, 1], axis=0).rename_axis(name)) == Loads(VALUES, (0, 1))


def test_an_index_without_a_name_gives_them_unless_it_counts_from_0():
    assert Loads.of(pd.DataFrame(VALUES, index=[3, 7])) == Loads(VALUES, (3, 7))
    assert Loads.of(pd.DataFrame(VALUES)) == Loads(VALUES)


def test_columns_are_put_in_the_order_of_their_names():
    assert Loads.of(pd.DataFrame(VALUES, columns=["e0", "e1", "e2"])) == Loads(VALUES)
    assert Loads.of(pd.DataFrame(VALUES, columns=["e2", "e0", "e1"])) == Loads([[2, 3, 1], [5, 6, 4]])
    assert Loads.of(pd.DataFrame(VALUES, columns=[2, 0, 1])) == Loads([[2, 3, 1], [5, 6, 4]])


def test_a_series_is_one_layer_by_the_names_of_its_experts():
    assert Loads.of(pd.Series([7, 9, 8])) == Loads([7, 9, 8])
    assert Loads.of(pd.Series([7, 9, 8], index=["e1", "e0", "e2"], name="load")) == Loads([9, 7, 8])
    with pytest.raises(InvalidLoadsError, match="none is expert 1"):
        Loads.of(pd.Series([7, 9], index=[0, 2]))


def test_a_row_per_count_becomes_layers_and_experts():
    rows = [(4, 1, 5), (3, 0, 7), (4, 0, 2)]
    frame = pd.DataFrame(rows, columns=["layer", "expert", "count"])
    assert Loads.of(frame) == Loads([[7, 0], [2, 5]], (3, 4))
    assert Loads.of(frame.set_index(["layer", "expert"])) == Loads([[7, 0], [2, 5]], (3, 4))
    steps = pd.concat([frame.assign(step=2), frame[:1].assign(step=1)])
    assert Loads.of(steps) == Loads([[[0, 0], [0, 5]], [[7, 0], [2, 5]]], (3, 4))


def test_ids_and_loads_of_any_type_of_pandas_are_read():
    rows = pd.DataFrame([(4, 1, 5), (3, 0, 7), (4, 0, 2)], columns=["layer", "expert", "count"])
    expected = Loads([[7, 0], [2, 5]], (3, 4))
    assert Loads.of(rows.astype({"layer": float, "expert": float})) == expected
    assert Loads.of(rows.astype({"layer": "category", "expert": "Int64", "count": object})) == expected
    assert Loads.of(rows.set_index(["layer", "expert"])["count"]) == expected
    assert Loads.of(rows.set_index(["layer", "expert"])["count"].rename(None)) == expected
    for kind in ("Int64", "category", object, "UInt8", pd.SparseDtype(int), pd.CategoricalDtype([1, 2, 3, 4, 5, 6])):
        assert Loads.of(pd.DataFrame(VALUES, index=pd.Index([3.0, 7.0], name="layer")).astype(kind)) == Loads(
            VALUES, (3, 7)
        )


def test_experts_without_a_row_are_told(caplog):
    rows = pd.DataFrame([(0, 0, 5), (1, 1, 6)], columns=["layer", "expert", "count"])
    assert Loads.of(rows).num_experts == 2
    assert "the largest expert with a row is 1, and experts without a token have none" in caplog.text


def test_an_index_without_a_name_says_nothing_beside_a_column_of_layers():
    rows = pd.DataFrame([(3, 0, 0), (3, 1, 5), (4, 0, 7)], columns=["layer", "expert", "count"])
    kept = rows[rows["count"] > 0]
    assert Loads.of(kept) == Loads.of(kept.reset_index(names="Unnamed: 0")) == Loads([[0, 5], [7, 0]], (3, 4))


def test_a_pivot_with_names_of_text_is_read_by_its_names():
    long = pd.DataFrame([(e, e * 10) for e in range(12)], columns=["expert", "count"]).assign(layer=0)
    pivot = long.astype({"expert": str}).pivot(index="layer", columns="expert", values="count")
    assert list(pivot.columns[:3]) == ["0", "1", "10"]
    assert Loads.of(pivot) == Loads([[e * 10 for e in range(12)]], (0,))


def test_labels_of_other_libraries_are_refused_and_not_forgotten():
    class Frame:
        columns = ("e1", "e0")

        def __array__(self, dtype=None, copy=None):
            return np.ones((1, 2))

    with pytest.raises(InvalidLoadsError, match=r"\.Frame, whose labels are not read"):
        Loads.of(Frame())


def test_integers_stay_exact_next_to_each_other_and_next_to_floats():
    small = pd.DataFrame({"e0": np.array([1], np.uint8), "e1": np.array([2**52 + 1], np.int64)})
    assert Loads.of(small).values.tolist() == [[[1, 2**52 + 1]]]
    assert Loads.of(pd.DataFrame({"e0": [2**52 + 1], "e1": [0.5]})).values.tolist() == [[[2**52 + 1, 0.5]]]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame(VALUES, columns=["a", "b", "c"]), r"column 1 \('a'\) is neither the layer nor an expert"),
        (pd.DataFrame(VALUES, columns=["1", "2", "3"]), "columns count experts from 1 to 3"),
        (pd.DataFrame(VALUES, columns=["e0", "e1", "total"]), r"column 3 \('total'\) is neither"),
        (pd.DataFrame(VALUES, columns=["e0", "e1", "e3"]), "none is expert 2"),
        (pd.DataFrame(VALUES, columns=["layer_0", "layer_1", "layer_2"]), "is not called an expert"),
        (pd.DataFrame(VALUES).rename_axis("expert"), "no column says the layer"),
        (pd.DataFrame(VALUES).rename_axis("step"), r"column 1 \('step'\) is neither"),
        (pd.DataFrame(VALUES, columns=pd.MultiIndex.from_product([["a"], [0, 1, 2]])), "labels of several levels"),
        (pd.DataFrame([[1, 2], [1, 2]], columns=["expert", "count"]), "no column says the layer"),
        (pd.DataFrame([[1, 0, 1], [1, 0, 2]], columns=["layer", "expert", "count"]), "row 1 counts the same layer"),
        (pd.DataFrame(VALUES, index=["a", "b"]), "layer ids are not integers"),
        (pd.DataFrame(VALUES, index=[1, 0]), "not increasing"),
        (pd.DataFrame(VALUES, index=[0, 0]), "not increasing"),
        (pd.DataFrame([["a", 1]]), r"entry \[0\]\[0\] is 'a', no number"),
        (pd.DataFrame([[None, 1]]), r"entry \[0\]\[0\] is None, no number"),
        (pd.DataFrame([[1, 2], [3, pd.NA]], dtype="Int64"), r"entry \[1\]\[1\] is <NA>, no number"),
        (pd.DataFrame(VALUES, index=[1, 2]), "counts from 1, rows or decoder layers"),
        (pd.DataFrame(VALUES).rename_axis("layer", axis=1), "the columns are labelled 'layer' and not expert"),
        (pd.Series([1, 2], index=pd.Index([0, 1], name="layer")), "the columns are labelled 'layer' and not expert"),
        (
            pd.DataFrame({"layer": [3, 4], "e0": [1, 2], "e1": [3, 4]}).set_index("layer", drop=False),
            r"columns 1 \('layer'\) and 2 \('layer'\) both say the layer",
        ),
        (pd.DataFrame({"e0": [[1, 2]], "e1": [[3, 4]]}), r"the data frame holds \[1, 2\] in a cell, no number"),
        (pd.DataFrame([7, 8]), r"column 1 \('0'\) alone may be no expert"),
        (
            pd.DataFrame([[3, 0, 5, 9], [3, 1, 2, 8], [4, 0, 1, 7]], columns=["layer", "rank", "expert", "count"]),
            "each rank has one count of a layer, as in a list of the hottest",
        ),
        (pd.DataFrame([[np.nan, 1.0]]), "load nan"),
        (pd.DataFrame([[-1, 1]]), "load -1"),
        (pd.DataFrame(), "empty"),
    ],
)
def test_frames_that_hold_no_loads_are_refused(frame, says):
    with pytest.raises(InvalidLoadsError, match=says):
        Loads.of(frame)
