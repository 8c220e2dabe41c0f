"""Experts and layers that are asserted: other recordings are refused, whatever format they have."""

import json

import numpy as np
import pytest

from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.io import read_loads
from eplb_opt.loads import Loads


def test_an_array_by_ranks_and_slots_is_refused(tmp_path):
    np.save(tmp_path / "moe_load.npy", np.ones((58, 32, 9), dtype=int))
    with pytest.raises(InvalidLoadsError, match=r"moe_load\.npy .* has 32 layers of 9 experts, not experts=256"):
        read_loads(tmp_path / "moe_load.npy", experts=256, layers=58)
    with pytest.raises(InvalidLoadsError, match=r"has 32 layers of 9 experts, not layers=58"):
        read_loads(tmp_path / "moe_load.npy", layers=58)


def test_layers_are_those_with_experts_or_all_that_the_recorder_counts(tmp_path):
    counts = np.zeros((61, 8), dtype=int)
    counts[3:] = 1
    (tmp_path / "a.json").write_text(json.dumps({"logical_count": counts.tolist()}))
    for layers in (58, 61, None):
        assert read_loads(tmp_path / "a.json", experts=8, layers=layers).num_layers == 58
    with pytest.raises(InvalidLoadsError, match="has 58 or 61 layers of 8 experts, not layers=60"):
        read_loads(tmp_path / "a.json", layers=60)


def test_experts_behind_the_last_one_that_has_a_row_get_no_load(tmp_path, caplog):
    path = tmp_path / "a.csv"
    path.write_text("layer,expert,count\n0,1,5\n1,0,3\n")
    assert read_loads(path) == Loads([[0, 5], [3, 0]])
    assert "the largest expert with a row is 1, and experts without a token have none" in caplog.text
    caplog.clear()
    assert read_loads(path, experts=4) == Loads([[0, 5, 0, 0], [3, 0, 0, 0]])
    assert caplog.text == ""
    with pytest.raises(InvalidLoadsError, match="has 2 layers of 2 experts, not experts=1"):
        read_loads(path, experts=1)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "4", True])
def test_what_is_no_number_of_experts_or_layers_is_refused(tmp_path, wrong):
    np.save(tmp_path / "a.npy", np.ones((2, 4)))
    for name in ("experts", "layers"):
        with pytest.raises(InvalidArgumentError, match=f"{name}={wrong!r} is not a positive integer"):
            read_loads(tmp_path / "a.npy", **{name: wrong})
