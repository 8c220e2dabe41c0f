"""Deciding windows: the hottest one of each layer, and the one with most tokens."""

import numpy as np

from eplb_opt.deciding import hottest_windows, token_shares
from eplb_opt.deployment import Deployment
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

# Three layers, two experts on two GPUs: the imbalance is that of the experts.
PLAN = Plan(np.array([[0, 1]] * 3), Deployment(2, 2), 2)


def test_the_hottest_window_is_that_of_the_largest_imbalance_and_not_of_most_tokens():
    # Layer 0: 3/2 against 1; layer 1: 6/5 against 2; layer 2 has no load.
    loads = Loads([[[3, 1], [60, 40], [0, 0]], [[100, 100], [0, 5], [0, 0]]])
    assert hottest_windows(PLAN, loads) == {0: 1, 1: 1}


def test_of_equal_windows_the_first_is_named():
    assert hottest_windows(PLAN, Loads([[[3, 1]] * 3, [[9, 3]] * 3])) == {0: 3}


def test_shares_of_tokens():
    assert token_shares(Loads([[[1, 2]], [[3, 6]]])) == [0.25, 0.75]
    assert token_shares(Loads(np.zeros((2, 1, 2)))) == [0, 0]
