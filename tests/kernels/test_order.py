"""Kernels that sort give numpy's orders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.kernels.order import ascending, descending, heaviest_first, lightest_first

_VALUES = st.lists(st.integers(0, 5).map(float), max_size=40).map(lambda values: np.array(values, dtype=np.float64))


@given(_VALUES)
def test_equal_values_keep_their_order(values):
    assert lightest_first(values).tolist() == sorted(range(values.size), key=lambda place: values[place])
    assert heaviest_first(values).tolist() == sorted(range(values.size), key=lambda place: -values[place])


@pytest.mark.parametrize(("kernel", "sign"), [(ascending, 1), (descending, -1)])
@given(values=_VALUES)
def test_every_position_is_there_once_and_values_are_in_order(kernel, sign, values):
    order = kernel(values)
    assert sorted(order.tolist()) == list(range(values.size))
    assert (np.diff(sign * values[order]) >= 0.0).all()
