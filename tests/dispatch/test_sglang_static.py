"""Picks that SGLang's ranks draw, layer after layer of the file that they load, are those of Python's own streams."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch import streams
from eplb_opt.dispatch.of_plan import layers_of, streams_before
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.dispatch.sglang_static import draw
from eplb_opt.evaluate import evaluate
from eplb_opt.instance import Instance
from eplb_opt.io import write_plan
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.verify import gpu_loads, max_loads
from tests.dispatch import oracle
from tests.dispatch.strategies import deployments_under, rows_of
from tests.strategies import TOKENS, load_rows


@st.composite
def plans_and_loads(draw_):
    """A plan of some layers of a model, and loads of some of these."""
    deployment, experts = draw_(deployments_under("sglang-static"))
    model_layers = draw_(st.integers(1, 6))
    some = st.sets(st.integers(0, model_layers - 1), min_size=1).map(sorted)
    ids = draw_(some)
    instance = Instance.from_loads([1] * experts, deployment)
    plan = Plan(np.array([draw_(rows_of(instance)) for _ in ids]), deployment, experts, tuple(ids), model_layers)
    wanted = sorted(draw_(st.sets(st.sampled_from(ids), min_size=1)))
    windows = draw_(st.integers(1, 2))
    values = [[draw_(load_rows(experts, (TOKENS,))) for _ in wanted] for _ in range(windows)]
    return plan, Loads(np.array(values), tuple(wanted), num_model_layers=model_layers)


@given(plans_and_loads())
def test_loads_are_those_of_what_every_rank_draws_over_the_whole_file(tmp_path_factory, pair):
    plan, loads = pair
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    write_plan(plan, path, "sglang")
    rows = json.loads(path.read_text())["physical_to_logical_map"]
    assert len(rows) == plan.num_model_layers
    table = oracle.drawn(rows, plan.num_experts, plan.deployment)
    frame = evaluate(plan, loads)
    for (row, instance), layer_id in zip(layers_of(plan, loads), loads.layer_ids, strict=True):
        assert row == rows[layer_id]
        asked = oracle.as_asked(table[layer_id])
        shares = oracle.shares(asked, plan.deployment)
        windows = range(loads.num_windows)
        expected = [oracle.gpu_loads(row, shares, instance, window) for window in windows]
        assert gpu_loads(row, instance) == expected
        assert max_loads(row, instance) == tuple(map(max, expected))
        away = [oracle.cross_node_share(asked, instance, window) for window in windows]
        assert rule_of(plan.deployment).cross_node_shares(row, instance) == away
        assert frame.loc[frame["layer_id"] == layer_id, "max_load"].tolist() == [float(max(some)) for some in expected]


def test_dense_layers_of_the_file_are_drawn_too():
    """Layers 3 to 60 of 61, the first three dense: what they draw moves the picks of the others."""
    deployment = Deployment(8, 24, 4, policy="global", dispatch="sglang-static")
    random_ = np.random.default_rng(0)
    # Two replicas on four nodes: some ranks are far, in the dense layers too.
    rows = np.array([random_.permutation(np.arange(24) % 16) for _ in range(58)])
    plan = Plan(rows, replace(deployment, distinct=False), 16, tuple(range(3, 61)), 61)
    dense = [[slot % 16 for slot in range(24)]] * 3
    table = oracle.drawn(dense + rows.tolist(), 16, plan.deployment)
    alone = oracle.drawn(rows.tolist(), 16, plan.deployment)
    assert table[3:] != alone
    loads = Loads(random_.integers(1, 1000, (1, 58, 16)), plan.layer_ids, num_model_layers=61)
    for layer_id, (row, instance) in zip(plan.layer_ids, layers_of(plan, loads), strict=True):
        shares = oracle.shares(oracle.as_asked(table[layer_id]), plan.deployment)
        assert gpu_loads(row, instance) == [oracle.gpu_loads(row, shares, instance)]


def test_a_stream_gives_the_words_of_python_from_any_position_on():
    reference = random.Random(42)
    words = [reference.getrandbits(32) for _ in range(2 * streams.BLOCK + 100)]
    for position in (0, 1, 700, streams.BLOCK - 3, 2 * streams.BLOCK - 1):
        stream = streams.Stream(position)
        assert [stream.getrandbits(32) for _ in range(60)] == words[position : position + 60]
        assert stream.position == position + 60


@given(st.lists(st.tuples(st.integers(1, 80), st.integers(0, 80)), max_size=60))
def test_samples_and_shuffles_are_those_of_python(sizes):
    """Deals of any length, one after the other, from the words that others left."""
    reference, stream = random.Random(42), streams.Stream(0)
    for size, rest in sizes:
        some = list(range(size))
        assert stream.sample(some, k=min(rest, size)) == reference.sample(some, k=min(rest, size))
        again = list(some)
        stream.shuffle(some)
        reference.shuffle(again)
        assert some == again
    # Both stand at the same word.
    assert stream.getrandbits(32) == reference.getrandbits(32)


@given(st.data())
def test_ranks_stand_where_their_streams_stand(data):
    """The words that a rank has drawn, counted by Python's own generator."""
    deployment, experts = data.draw(deployments_under("sglang-static"))
    row = data.draw(rows_of(Instance.from_loads([1] * experts, deployment)))
    plan = Plan(np.array([row, row, row]), deployment, experts)
    before = streams_before(plan)
    assert before[0] == (0,) * deployment.num_gpus
    for layer in range(2):
        assert before[layer + 1] == draw(plan.physical_to_logical[layer], deployment, before[layer]).streams
    for rank, position in enumerate(before[2]):
        assert position == words_drawn([row, row], experts, rank, deployment)


class Counting(random.Random):
    """Python's generator, and how many words it has given."""

    def __init__(self, seed):
        super().__init__(seed)
        self.count = 0

    def getrandbits(self, k, /):
        assert k <= 32
        self.count += 1
        return super().getrandbits(k)


def words_drawn(rows, experts, rank, deployment):
    stream = Counting(42)
    for row in rows:
        for expert in range(experts):
            replicas = oracle.slots_of(row, expert)
            far = [g for g in range(deployment.num_gpus) if oracle.nearest(replicas, g, deployment) is None]
            if rank in far:
                rounds, rest = divmod(len(far), len(replicas))
                dealt = replicas * rounds + stream.sample(replicas, k=rest)
                stream.shuffle(dealt)
    return stream.count


@pytest.mark.parametrize("dispatch", ["even", "nearest", "by-rank", "optimal"])
def test_nothing_is_drawn_under_other_rules(dispatch):
    plan = Plan(np.array([[0, 1, 1, 2]]), Deployment(2, 4, 2, policy="global", dispatch=dispatch), 3)
    assert streams_before(plan) == {}
