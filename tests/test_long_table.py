from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import InvalidLoadsError
from eplb_opt.long_table import LongTable


def table(**cells):
    return LongTable.of(cells, lambda row: f"row {row}", InvalidLoadsError)


def test_counts_without_a_row_are_0():
    found = table(layer=[5, 3], expert=[2, 0], count=[7, 9])
    assert found.values.tolist() == [[[9, 0, 0], [0, 0, 7]]]
    assert (found.layer_ids, found.steps) == ((3, 5), (0,))


def test_counts_of_ranks_are_summed_and_steps_are_in_order():
    found = table(step=[20, 3, 20], rank=[0, 1, 1], layer=[1, 1, 1], expert=[0, 0, 0], count=[1, 2, 4])
    assert found.values.tolist() == [[[2]], [[5]]]
    assert found.steps == (3, 20)


def test_floats_stay_floats_and_integers_integers():
    assert table(layer=[0], expert=[0], count=[2**53 - 1]).values.tolist() == [[[2**53 - 1]]]
    assert table(layer=[0, 0], expert=[0, 1], count=[1, 0.5]).values.tolist() == [[[1.0, 0.5]]]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"layer": [], "expert": [], "count": []}, "empty"),
        ({"layer": [1.5], "expert": [0], "count": [1]}, r"row 0 has layer 1\.5, which is no integer from 0 to"),
        ({"layer": [0, 0], "expert": [0, -1], "count": [1, 1]}, "row 1 has expert -1"),
        ({"layer": [0], "expert": [10**9], "count": [1]}, "row 0 has expert 1000000000"),
        ({"layer": [0], "expert": [0], "count": [-1]}, "row 0 has count -1"),
        ({"layer": [0], "expert": [0], "count": [float("nan")]}, "row 0 has count nan"),
        ({"layer": [0], "expert": [0], "count": [2**53]}, r"row 0 has count \d+, which is 2\*\*53 tokens or"),
        ({"layer": [0, 0], "expert": [0, 0], "rank": [0, 1], "count": [1, 2**52]}, "row 1 .*, which for 2 ranks is 2"),
        ({"layer": [0, 1, 0], "expert": [3, 3, 3], "count": [1, 2, 3]}, "row 2 counts the same .* again as row 0"),
    ],
)
def test_cells_that_are_no_counts_are_refused_by_row(cells, says):
    with pytest.raises(InvalidLoadsError, match=says):
        table(**cells)


@given(st.data())
def test_any_order_of_the_rows_gives_the_same_counts(data):
    shape = [data.draw(st.integers(1, 4)) for _ in "srle"]
    counts = np.array(data.draw(st.lists(st.integers(0, 5), min_size=prod(shape), max_size=prod(shape))))
    counts = counts.reshape(shape)
    counts[-1, -1, -1, -1] = counts[0, 0, 0, 0] = 1
    kept = [place for place in np.ndindex(*shape) if counts[place] or data.draw(st.booleans())]
    rows = data.draw(st.permutations(kept))
    cells = {name: [row[axis] for row in rows] for axis, name in enumerate(("step", "rank", "layer", "expert"))}
    found = table(**cells, count=[int(counts[row]) for row in rows])
    full = np.zeros((shape[0], shape[2], shape[3]), dtype=int)
    full[np.ix_(found.steps, found.layer_ids, range(found.values.shape[2]))] = found.values
    assert np.array_equal(full, counts.sum(axis=1))
