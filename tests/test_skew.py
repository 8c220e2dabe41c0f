"""skew: what a recording's layers look like, windows summed."""

import numpy as np
import pytest

from eplb_opt.loads import Loads
from eplb_opt.skew import skew


def test_a_layer_is_described_by_its_experts():
    # 16 experts, of which the hottest tenth are two: 10 and 5 of 30 tokens, where the mean is 30 / 16.
    first, second = np.ones(16, dtype=int), np.zeros(16, dtype=int)
    first[15] = 0
    second[[3, 4]] = 9, 4
    second[0] = 2
    (row,) = skew(Loads([[first], [second]], (7,))).to_dict("records")
    assert (row["layer_id"], row["tokens"], row["hottest_expert"], row["idle_experts"]) == (7, 30.0, 3, 1)
    assert row["max_over_mean"] == pytest.approx(10 * 16 / 30)
    assert (row["hottest_share"], row["hottest_tenth_share"]) == (10 / 30, 15 / 30)
    assert row["cv"] == pytest.approx((first + second).std() / (first + second).mean())


def test_without_load_no_expert_is_the_hottest():
    frame = skew(Loads([[1, 3], [0, 0]]))
    assert frame["hottest_expert"].tolist() == [1, None]
    ratios = ["max_over_mean", "cv", "hottest_share", "hottest_tenth_share"]
    assert frame[ratios].isna().all(axis=1).tolist() == [False, True]
    assert frame["idle_experts"].tolist() == [0, 2]
