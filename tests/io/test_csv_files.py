import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidLoadsError
from eplb_opt.io import read_loads
from eplb_opt.io.content import Content
from eplb_opt.io.csv_files import format_table, holds_table, parse_table
from eplb_opt.loads import Loads
from tests.io.recordings import labelled_loads


def recorded(text):
    return parse_table(Content("x.csv", "text", text)).steps


@pytest.mark.parametrize(
    "text", ["1,2\n3,4\n", "1,2\r\n3,4", "\n 1 , 2\n\n3,4\n  \n", '"1","2"\n3,4', "e0,e1\n1,2\n3,4", "+1,2\n3,04"]
)
def test_rows_are_layers_and_columns_are_experts(text):
    steps = recorded(text)
    assert steps == Loads([[1, 2], [3, 4]], numbering="moe")
    assert steps.values.dtype == np.int64


@pytest.mark.parametrize("column", ["layer", "layer_id", "Layer_ID"])
def test_a_named_first_column_gives_the_decoder_layers(column):
    assert recorded(f"{column},0,1\n3,1,2\n5,3,4\n") == Loads([[1, 2], [3, 4]], (3, 5))
    assert recorded(f"{column},0,1\n0,1,2\n1,3,4\n") == Loads([[1, 2], [3, 4]])


def test_blank_lines_part_no_rows_that_have_ids_or_are_all_parted():
    assert recorded("e0,e1\n\n1,2\n\n3,4\n\n5,6\n").num_layers == 3
    assert recorded("\n1,2\n3,4\n\n").num_layers == 2
    assert recorded("layer,e0,e1\n3,1,2\n4,3,4\n\n9,5,6\n").layer_ids == (3, 4, 9)


def test_tables_with_a_row_per_count_that_end_at_other_experts_point_to_their_number(tmp_path):
    paths = tmp_path / "a.csv", tmp_path / "b.csv"
    for path, last in zip(paths, (2, 1), strict=True):
        path.write_text(f"layer,expert,count\n3,0,5\n3,{last},6\n")
    with pytest.raises(InvalidLoadsError, match=r"a\.csv has 3 experts, .*b\.csv has 2 experts; say experts where"):
        read_loads(paths)
    assert read_loads(paths, experts=3) == Loads([[[5, 0, 6]], [[5, 6, 0]]], (3,))


def test_ids_may_be_written_as_floats():
    assert recorded("layer,e0,e1\n3.0,1,2\n5.0,3,4\n") == Loads([[1, 2], [3, 4]], (3, 5))
    assert recorded("layer,expert,count\n3.0,1.0,7\n3.0,0.0,5\n") == Loads([[5, 7]], (3,))


def test_an_index_without_a_name_says_nothing_beside_a_column_of_layers():
    assert recorded(",layer,expert,count\n7,3,0,5\n2,3,1,6\n") == Loads([[5, 6]], (3,))
    assert recorded(",layer,e0,e1\n7,3,5,6\n") == Loads([[5, 6]], (3,))
    with pytest.raises(FileFormatError, match=r"column 1 has no name and holds 0\.5, no number of a row"):
        recorded(",layer,e0,e1\n0.5,3,5,6\n")


def test_a_first_row_of_numbers_is_a_layer():
    assert recorded("0,1,3\n3,4,5\n").num_layers == 2


def test_the_index_of_a_data_frame_is_the_decoder_layers_unless_it_counts_from_0():
    assert recorded(",0,1\n4,3,4\n7,5,6\n") == Loads([[3, 4], [5, 6]], (4, 7))
    assert recorded(",0,1\n0,3,4\n1,5,6\n") == Loads([[3, 4], [5, 6]], numbering="moe")


def test_one_point_makes_all_numbers_floats():
    assert recorded("1,0.1\n").values.tolist() == [[[1.0, 0.1]]]


BAD = {
    "ragged": ("1,2\n\n3\n", "line 3 has 1 cells, the first line 2", FileFormatError),
    "word": ("1,2\n3,x\n", "line 2, column 2 holds 'x', not a number", FileFormatError),
    "half a header": ("a,1\n3,4\n", r"line 1: column 1 \('a'\) is neither the layer nor an expert", FileFormatError),
    "bare header": ("0,1,2\n3,4,5\n", "the numbers 0 to 2, a header or the loads of a layer", FileFormatError),
    "bare header in another order": ("2,0,3,1\n3,4,5,6\n", "begins with the numbers 0 to 3, a header", FileFormatError),
    "bare header alone": ("0,1,2,3\n", "begins with the numbers 0 to 3, a header", FileFormatError),
    "bare index": ("0,9\n1,8\n2,5\n3,3\n", "the numbers 0 to 3 in its first column, layers or", FileFormatError),
    "bare layers": ("3,9\n4,8\n5,5\n6,3\n", "the numbers 3 to 6 in its first column, layers or", FileFormatError),
    "huge id": ("layer,expert,count\n1e300,0,5\n", r"line 2 has layer 1e\+300, which is no integer", FileFormatError),
    "blocks": (
        "1,2\n3,4\n\n5,6\n7,8\n",
        "a blank line before line 4, between rows without a layer_id",
        FileFormatError,
    ),
    "named blocks": ("e0,e1\n1,2\n3,4\n\n5,6\n", "a blank line before line 5, between rows", FileFormatError),
    "one column": ("9\n7\n8\n", "one column, the experts of a layer or one expert of each layer", FileFormatError),
    "a series": (",0\n0,9\n1,7\n", r"column 2 \('0'\) alone may be no expert", FileFormatError),
    "rows from 1": (",e0,e1\n1,9,7\n2,6,8\n", "no name and counts from 1, rows or decoder layers", FileFormatError),
    "places": (
        "layer,rank,expert,count\n3,0,5,9\n3,1,2,8\n4,0,1,9\n4,1,7,5\n",
        "each rank has one count of a layer, as in a list of the hottest experts",
        FileFormatError,
    ),
    "semicolons under a header": ("layer;e0\n3;5\n", "line 1 holds 'layer;e0'; cells are separated", FileFormatError),
    "tabs": ("layer\te0\n3\t5\n", r"line 1 holds 'layer\\te0'; cells are separated", FileFormatError),
    "spaces": (
        "1.0e+01 2.0e+01\n3.0e+01 4.0e+01\n",
        r"holds '1\.0.*', not a number; cells are separated",
        FileFormatError,
    ),
    "bare header from 1": ("1,2,3,4\n3,4,5,6\n", "begins with the numbers 1 to 4, a header", FileFormatError),
    "hole": ("1,\n", "line 1, column 2 holds ''", FileFormatError),
    "digit groups": ("1_000,2\n", "holds '1_000'", FileFormatError),
    "semicolons": ("1;2\n3;4\n", "line 1, column 1 holds '1;2', not a number; cells are separated", FileFormatError),
    "header alone": ("a,b\n", "a header and no loads", FileFormatError),
    "open quote": ('1,"2\n', "line 1 is not valid CSV", FileFormatError),
    "empty cells": ('""\n', "is empty", FileFormatError),
    "float id": ("layer,e0\n1.5,2\n", r"line 2 has layer id 1\.5", FileFormatError),
    "falling ids": ("layer,e0\n2,1\n1,1\n", "row 1 has layer 1 behind layer 2", InvalidLoadsError),
    "ids alone": ("layer\n2\n", "empty", FileFormatError),
    "negative": ("1,-2\n", "load -2 at window 0, layer row 0, expert 1", InvalidLoadsError),
    "nan": ("1,nan\n", "load nan", InvalidLoadsError),
    "too many tokens": (f"{2**64},1\n", r"load 1\d+ .* is 2\*\*53 tokens or more", InvalidLoadsError),
    "too many digits": ("9" * 5000 + "\n", "load inf", InvalidLoadsError),
    "zero": ("0,0\n", "no token", InvalidLoadsError),
}


@pytest.mark.parametrize(("text", "says", "error"), BAD.values(), ids=BAD)
def test_a_table_that_holds_no_loads_is_refused_by_line(text, says, error):
    with pytest.raises(error, match=says) as info:
        recorded(text)
    assert str(info.value).startswith("x.csv")
    assert "\n" not in str(info.value)


@given(hnp.arrays(np.int64, st.tuples(st.integers(4, 7), st.integers(2, 6)), elements=st.integers(0, 99)), st.data())
def test_labels_that_nothing_names_are_refused_wherever_they_stand(values, data):
    values[0, 0] += 100
    layers, experts = values.shape
    rows = data.draw(st.sampled_from([0, 1, 3])) + np.arange(layers)
    names = data.draw(st.permutations(range(experts))) if experts >= 4 else np.arange(experts)

    def text(table):
        return "".join(",".join(map(str, row)) + "\n" for row in table.tolist())

    column = [number - values[0, 0] for number in values[:, 0].tolist()]
    if column != list(range(layers)):
        assert recorded(text(values)) == Loads(values, numbering="moe")
    for table in (np.column_stack([rows, values]), np.vstack([names, values])):
        with pytest.raises(FileFormatError, match=r"in its first column|begins with the numbers"):
            recorded(text(table))


@given(labelled_loads(max_windows=1))
def test_a_table_reads_back_exactly_or_points_to_npz(written):
    try:
        text = format_table(written, "x.csv")
    except EplbOptError as error:
        ends_early = written.num_model_layers > written.layer_ids[-1] + 1
        assert ends_early or written.labels.moe_layer_ids != written.layer_ids
        assert "write .npz" in str(error)
        return
    back = recorded(text)
    assert back == written
    assert back.values.dtype == written.values.dtype


def test_the_header_names_layers_and_experts():
    assert format_table(Loads([[1, 2]], (3,)), "x.csv") == "layer_id,expert_0,expert_1\n3,1,2\n"
    assert format_table(Loads([[1, 2]], numbering="moe"), "x.csv") == "expert_0,expert_1\n1,2\n"


def test_several_windows_are_no_table():
    with pytest.raises(FileFormatError, match=r"x\.csv cannot hold 2 windows.*\.npz"):
        format_table(Loads(np.ones((2, 1, 1))), "x.csv")


def test_text_is_a_table_only_under_the_name_of_one():
    assert [holds_table(Content(name, "text", "1,2")) for name in ("a.csv", "a.TXT", "a.log", "a")] == [
        True,
        True,
        False,
        False,
    ]
