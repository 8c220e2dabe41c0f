"""What looks like something else is told in the log, and read all the same."""

import json

import numpy as np
import pytest

from eplb_opt.io import read_loads
from eplb_opt.io.doubts import doubts_of, doubts_on, layers_left_out, layers_without_load
from eplb_opt.loads import Loads

RANDOM = np.random.default_rng(0)
TRAFFIC = RANDOM.integers(100, 10**6, (2, 8, 32))


def test_traffic_is_not_in_doubt():
    assert doubts_of(Loads(TRAFFIC)) == []
    assert doubts_of(Loads(RANDOM.poisson(3, (1, 8, 32)))) == []
    assert doubts_on(Loads(TRAFFIC), 16) == []
    assert layers_without_load(Loads(TRAFFIC)) == []


@pytest.mark.parametrize(
    "ids",
    [
        [RANDOM.permutation(256)[:8] for _ in range(58)],
        [RANDOM.permutation(32) for _ in range(8)],
        [RANDOM.permutation(np.arange(40) % 32) for _ in range(8)],
    ],
    ids=["hottest experts of each layer", "a plan without replicas", "a plan with replicas"],
)
def test_ids_of_experts_look_like_ids(tmp_path, caplog, ids):
    assert any("ids of experts" in doubt for doubt in doubts_of(Loads(np.array(ids))))
    np.save(tmp_path / "a.npy", np.array(ids))
    loads = read_loads(tmp_path / "a.npy")
    assert "a.npy (NumPy array): the loads of each layer are small integers" in caplog.text
    caplog.clear()
    assert read_loads(tmp_path / "a.npy", experts=loads.num_experts, layers=loads.num_layers) == loads
    assert caplog.text == ""


def test_arrays_of_ranks_are_no_workloads(tmp_path, caplog):
    paths = []
    for rank in range(8):
        own = np.zeros((8, 32), dtype=int)
        own[:, 4 * rank : 4 * rank + 4] = TRAFFIC[0, :, 4 * rank : 4 * rank + 4]
        paths.append(tmp_path / f"{rank}.npy")
        np.save(paths[-1], own)
    read_loads(paths)
    assert "no expert has load in two of the 8 windows" in caplog.text
    caplog.clear()
    read_loads(paths[:1])
    assert caplog.text == ""


def test_sums_and_labels_beside_the_experts_look_like_these():
    total = np.concatenate([TRAFFIC, TRAFFIC.sum(axis=2, keepdims=True)], axis=2)
    assert doubts_of(Loads(total))[0].startswith("expert 32 has as much load as all others")
    assert doubts_of(Loads(total / 3))[0].startswith("expert 32 has as much load as all others")
    total = np.concatenate([TRAFFIC, TRAFFIC.sum(axis=1, keepdims=True)], axis=1)
    assert doubts_of(Loads(total))[0].startswith("layer 8 has the loads of all others")
    labels = np.broadcast_to(np.arange(3, 11)[:, None], (2, 8, 1))
    labelled = np.concatenate([labels, TRAFFIC], axis=2)
    assert doubts_of(Loads(labelled))[0].startswith("the loads of expert 0 count the layers")
    assert doubts_of(Loads(TRAFFIC[:, :, :1]))[0].startswith("each of 8 layers has one expert")
    assert doubts_of(Loads(np.zeros((1, 8, 32)))) == []


def test_a_transposed_table_looks_like_one():
    counts = RANDOM.multinomial(10**6, RANDOM.dirichlet(np.ones(32)), (1, 8))
    assert doubts_of(Loads(counts)) == []
    assert doubts_of(Loads(np.ones((1, 8, 32)))) == []
    assert "transpose the table" in doubts_of(Loads(counts.transpose(0, 2, 1)))[0]


def test_an_axis_as_long_as_there_are_gpus_is_in_doubt():
    by_rank = Loads(RANDOM.integers(100, 1000, (58, 32, 9)), numbering="moe")
    assert len(doubts_on(by_rank, 32)) == 1
    assert "as many layers as there are GPUs, 32" in doubts_on(by_rank, 32)[0]
    assert "as many experts as there are GPUs, 9" in doubts_on(by_rank, 9)[0]
    assert doubts_on(Loads(np.ones((2, 2)), numbering="moe"), 2) == []
    assert doubts_on(Loads(by_rank.values), 32) == []


def test_layers_without_load_are_named():
    values = np.zeros((58, 4), dtype=int)
    values[0] = 7
    assert layers_without_load(Loads(values, range(3, 61))) == [
        "no token was recorded in layers 4-60 (57 of 58 with experts): nothing is known of these, and any plan is "
        "optimal there"
    ]
    assert "recorded in layer 1 (1 of 2" in layers_without_load(Loads([[1, 0], [0, 0]]))[0]


def test_a_recorder_that_counts_everything_in_one_layer_is_in_doubt(tmp_path, caplog):
    counts = np.zeros((61, 4), dtype=int)
    counts[0] = 7
    (tmp_path / "a.json").write_text(json.dumps({"logical_count": counts.tolist()}))
    assert read_loads(tmp_path / "a.json").num_layers == 1
    assert "only 1 of 61 decoder layers have a token" in caplog.text
    assert layers_left_out(58, 61) == layers_left_out(24, 48) == []


@pytest.mark.parametrize("largest", [2.0**50, 1e-200, 2**50, 1])
def test_the_largest_and_the_smallest_loads_are_in_no_other_doubt(largest):
    kind = type(largest)
    row = np.array([largest, 0, largest, largest, 0, largest], dtype=np.float64 if kind is float else np.int64)
    same = Loads(np.stack([np.roll(row, shift) for shift in range(6)]))
    assert not any("transpose" in doubt or "sum" in doubt for doubt in doubts_of(same))
    table = np.repeat(row[[0, 1, 2, 3, 1]][:, np.newaxis], 5, axis=1)
    assert any("transpose the table" in doubt for doubt in doubts_of(Loads(table)))
