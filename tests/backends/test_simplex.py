"""Linear programs of HiGHS: on one thread whatever ran before, and no answer where there is none."""

import highspy
import numpy as np
import pytest

from eplb_opt.backends.simplex import is_feasible, new_simplex
from eplb_opt.errors import SolverError


def test_a_run_with_more_threads_before_it_does_no_harm():
    other = highspy.Highs()
    other.silent()
    other.setOptionValue("threads", 2)
    other.addVars(1, np.zeros(1), np.ones(1))
    other.run()
    highs = new_simplex()
    highs.addVars(1, np.zeros(1), np.ones(1))
    highs.changeColCost(0, -1.0)
    assert is_feasible(highs, 1.0)
    assert highs.getSolution().col_value == [1.0]


def test_rows_that_contradict_each_other_have_a_ray():
    highs = new_simplex()
    highs.addVars(1, np.zeros(1), np.ones(1))
    highs.addRow(2.0, 3.0, 1, np.array([0], dtype=np.int32), np.ones(1))
    assert not is_feasible(highs, 1.0)
    assert highs.getDualRay()[1]


def test_what_has_no_answer_is_an_error():
    highs = new_simplex()
    highs.addVars(1, np.zeros(1), np.full(1, highspy.kHighsInf))
    highs.changeColCost(0, -1.0)
    with pytest.raises(SolverError, match="Unbounded"):
        is_feasible(highs, 1.0)
