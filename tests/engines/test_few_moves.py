"""Plug-ins inside the engines' own code keep limits of moves from one rebalancing to the next."""

import json

import numpy as np
import pytest

from eplb_opt.moves import count_moves
from eplb_opt.plugins.max_loads import hottest_loads
from tests.engines.parsers import HERE, require, run_beside, write_model

GPUS, SLOTS, MOVES = 4, 40, 6


# Each imports an engine, which takes as long as most other tests together.
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sglang", "vllm", "ascend"])
def test_each_rebalancing_of_the_engine_moves_few_experts_and_cools(engine, tmp_path):
    source = "vllm" if engine == "ascend" else engine
    require(source)
    write_model(tmp_path)
    loads = np.random.default_rng(4).lognormal(6, 0.7, (3, 2, 32)).astype(np.int64)
    (tmp_path / "asked.json").write_text(json.dumps({"loads": loads.tolist(), "gpus": GPUS, "slots": SLOTS}))
    code = [str(HERE / "run_few_moves.py"), engine, "asked.json", "out.npz"]
    settings = {"EPLB_OPT_MOVES": str(MOVES), "EPLB_OPT_LEAST_GAIN": "1", "EPLB_OPT_TIME_LIMIT": "0.05"}
    run = run_beside(source, code, tmp_path, **settings)
    assert run.returncode == 0, run.stderr[-2000:]
    maps = np.load(tmp_path / "out.npz")["maps"]
    for window, old, new in zip(loads, maps, maps[1:], strict=False):
        before, after = (hottest_loads(window, table, GPUS).sum() for table in (old, new))
        assert 0 < count_moves(new, old, GPUS).sum() <= MOVES and after < 0.99 * before
        # Slots that change are moves: what stays on a GPU stays in its slot.
        assert (new != old).sum() <= MOVES
