"""A CSV per rank, as SGLang wrote up to 0.4.6: ranks are summed, and experts without a row have no token."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import FileFormatError, InvalidArgumentError, InvalidLoadsError
from eplb_opt.io import read_loads
from eplb_opt.io.rank_tables import rank_of
from eplb_opt.loads import Loads

HEADER = "layer_id,expert_id,count\n"
NAME = "expert_distribution_rank{}_timestamp174434775{}.3721356.csv"


def write_ranks(folder, *texts, name=NAME):
    folder.mkdir(exist_ok=True)
    for rank, text in enumerate(texts):
        (folder / name.format(rank, rank)).write_text(text)
    return folder


def test_counts_of_all_ranks_are_summed(tmp_path):
    folder = write_ranks(tmp_path / "dump", HEADER + "3,0,5\n4,2,1\n", HEADER + "4,2,10\n3,1,7\n", HEADER)
    loads = read_loads(folder)
    assert loads == read_loads(folder, format="sglang") == Loads([[5, 7, 0], [0, 0, 11]], (3, 4))
    assert loads.source == "dump (expert counts per rank)"
    assert read_loads(folder, experts=4, layers=2) == Loads([[5, 7, 0, 0], [0, 0, 11, 0]], (3, 4))


def test_names_say_the_rank():
    names = ["rank0.csv", "rank_12.csv", "load-rank3.csv.gz", NAME.format(7, 7), "RANK4 of 8.csv"]
    assert [rank_of(name) for name in names] == [0, 12, 3, 7, 4]
    assert [rank_of(name) for name in ["frank0.csv", "ranks.csv", "rank0.npy", "decode.csv", "rank1x.txt"]] == [
        None
    ] * 5


def test_a_column_of_steps_makes_steps(tmp_path):
    header = "step,layer,expert,count\n"
    folder = write_ranks(tmp_path / "dump", header + "10,0,1,5\n20,0,0,3\n", header + "20,0,0,4\n", name="rank{}.csv")
    assert read_loads(folder, windows=2) == Loads([[[0, 5]], [[7, 0]]])
    (folder / "rank1.csv").write_bytes(gzip.compress((folder / "rank1.csv").read_bytes()))
    assert read_loads(folder, windows=2) == Loads([[[0, 5]], [[7, 0]]])


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([HEADER + "3,0,5\n", HEADER + "3,0,5\n3,0,6\n"], "line 3 counts the same layer and expert again as .* line 2"),
        ([HEADER + "3,0,5\n", HEADER + "3,x,5\n"], "line 2, column 2 holds 'x', not a number"),
        ([HEADER + "3,0,5\n", HEADER + "3,0\n"], "line 2 has 2 cells"),
        ([HEADER + "3,0,5\n", "expert_id,count\n0,5\n"], "line 1: .* no column says the layer"),
        ([HEADER + "3,0,5\n", "layer,e0\n3,5\n"], "is no table with a row per count"),
        ([HEADER + "3,0,5\n", "3,0,5\n"], "has no header such as layer_id,expert_id,count"),
        ([HEADER + "3,0,5\n", "step,layer,expert,count\n1,3,0,5\n"], "has other columns than"),
    ],
)
def test_a_rank_with_another_table_is_refused_by_file_and_line(tmp_path, texts, says):
    folder = write_ranks(tmp_path / "dump", *texts)
    with pytest.raises(FileFormatError, match=says) as info:
        read_loads(folder)
    assert "rank1" in str(info.value)
    assert "\n" not in str(info.value)


def test_a_rank_that_is_missing_or_there_twice_is_refused(tmp_path):
    folder = write_ranks(tmp_path / "dump", *[HEADER + "3,0,5\n"] * 3)
    (folder / NAME.format(1, 1)).rename(folder / NAME.format(2, 9))
    with pytest.raises(
        FileFormatError, match=r"dump has two files of rank 2, .*timestamp1744347752.* keep one recording"
    ):
        read_loads(folder)
    (folder / NAME.format(2, 9)).unlink()
    with pytest.raises(FileFormatError, match="has no file of rank 1; the files of all ranks are needed"):
        read_loads(folder)


def test_ranks_without_any_count_are_no_loads(tmp_path):
    with pytest.raises(InvalidLoadsError, match="no token was recorded"):
        read_loads(write_ranks(tmp_path / "dump", HEADER, HEADER))


def test_a_file_may_repeat_its_rank_and_say_no_other(tmp_path):
    header = "rank,layer_id,expert_id,count\n"
    folder = write_ranks(tmp_path / "dump", f"{header}0,3,0,5\n0,3,1,1\n", f"{header}1,3,0,7\n1,3,1,1\n")
    assert read_loads(folder) == Loads([[12, 2]], (3,))
    folder = write_ranks(tmp_path / "other", f"{header}0,3,0,5\n0,3,1,1\n", f"{header}1,3,0,7\n1,3,1,1\n2,3,0,7\n")
    with pytest.raises(FileFormatError, match=r"rank1.*\.csv is called rank 1, and its column says rank 2"):
        read_loads(folder)


def test_tables_of_ranks_are_no_windows(tmp_path):
    folder = write_ranks(tmp_path / "dump", HEADER + "3,0,5\n", HEADER + "3,0,7\n")
    with pytest.raises(InvalidArgumentError, match="are tables of ranks by their names; give their folder"):
        read_loads(sorted(folder.iterdir()))
    one = read_loads(folder / NAME.format(0, 0))
    assert one == Loads([[5]], (3,))


@given(
    st.lists(
        st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 5)), st.integers(0, 99)), min_size=1, max_size=4
    )
)
def test_any_ranks_sum_to_what_they_counted(tmp_path_factory, ranks):
    texts = [HEADER + "".join(f"{layer},{e},{count}\n" for (layer, e), count in rank.items()) for rank in ranks]
    folder = write_ranks(tmp_path_factory.mktemp("ranks"), *texts)
    total = np.zeros((4, 6), dtype=int)
    for rank in ranks:
        for place, count in rank.items():
            total[place] += count
    if not total.any():
        with pytest.raises(InvalidLoadsError, match="no token"):
            read_loads(folder)
        return
    loads = read_loads(folder, experts=6)
    named = sorted({layer for rank in ranks for layer, _ in rank})
    assert loads.layer_ids == tuple(named)
    assert np.array_equal(loads.values[0], total[named])


def test_a_single_file_says_which_rank_it_is(tmp_path, caplog):
    folder = write_ranks(tmp_path / "dump", HEADER + "3,0,5\n")
    read_loads(folder / NAME.format(0, 0))
    assert re.search(r"rank0.*is what rank 0 counted; give its folder if there are others", caplog.text)
