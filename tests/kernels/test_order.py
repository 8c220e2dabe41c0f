"""Kernels that sort give numpy's orders."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.order import heaviest_first, lightest_first

_VALUES = st.lists(st.integers(0, 5).map(float), max_size=40).map(lambda values: np.array(values, dtype=np.float64))


@given(_VALUES)
def test_equal_values_keep_their_order(values):
    assert lightest_first(values).tolist() == sorted(range(values.size), key=lambda place: values[place])
    assert heaviest_first(values).tolist() == sorted(range(values.size), key=lambda place: -values[place])
