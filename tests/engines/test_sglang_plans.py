"""What SGLang's own functions make of plans is what `evaluate` says of them."""

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.verify import gpu_loads
from tests.engines.dispatching import answers_to, by_table, hottest, of_file, of_plug_in
from tests.engines.parsers import require

require("sglang")

LOADS = np.random.default_rng(5).integers(1, 10_000, (3, 16))
GPUS, SLOTS, NODES = 8, 24, 4


def plan(**labels):
    """Rows with replicas on one node, on two, and on a GPU twice."""
    random = np.random.default_rng(6)
    rows = [random.permutation([*range(16), *random.integers(0, 5, SLOTS - 16)]) for _ in LOADS]
    return Plan(np.array(rows), Deployment(GPUS, SLOTS, NODES, policy="global", distinct=False), 16, **labels)


def imbalance(plan, loads, dispatch):
    return 1 / summarise(evaluate(plan, loads, dispatch))["total_balancedness"]


def carried(plan, dispatch):
    """What each GPU carries under a dispatch, shape ``(layers, GPUs)``."""
    layers = layers_of(plan.dispatched(dispatch), Loads(LOADS, **plan.labels.fields))
    return np.array([gpu_loads(row, instance)[0] for row, instance in layers], dtype=float)


# SGLang asks for five decoder layers, of which this plan has three.
SAVED, WHOLE = plan(layer_ids=(1, 2, 4), num_model_layers=5), plan()
RECORDED = np.zeros((5, 16), dtype=int)
RECORDED[[1, 2, 4]] = LOADS


@pytest.fixture(scope="module")
def answers():
    """SGLang's tables by what it is given and its backend."""
    asked = {
        ("saved", "none"): of_plug_in(SAVED, RECORDED, RECORDED[:, ::-1], NODES, "none"),
        ("saved", "deepep"): of_plug_in(SAVED, RECORDED, RECORDED[:, ::-1], NODES, "deepep"),
        ("its own map", "deepep"): of_plug_in(WHOLE, LOADS, LOADS, NODES, "deepep", engine="sglang"),
        ("file", "deepep"): of_file(WHOLE, NODES, "deepep"),
        ("file", "none"): of_file(WHOLE, NODES, "none"),
    }
    return dict(zip(asked, answers_to(list(asked.values())), strict=True))


@pytest.mark.parametrize("backend", ["none", "deepep"])
def test_a_saved_plan_keeps_all_replicas_on_all_ranks_and_is_split_evenly(answers, backend):
    """And the loads of a rebalancing change nothing."""
    tables = answers["saved", backend]
    assert tables["map"][[1, 2, 4]].tolist() == SAVED.physical_to_logical.tolist()
    assert tables["later"].tolist() == tables["map"].tolist()
    for of_rank in tables["spread"][:, [1, 2, 4]]:
        assert of_rank.tolist() == SAVED.logical_to_physical(SLOTS).tolist()
    found = hottest(by_table(tables["spread"], RECORDED.astype(float), GPUS, SLOTS)[[1, 2, 4]])
    assert found == pytest.approx(imbalance(SAVED, Loads(LOADS, (1, 2, 4), 5), "even"), rel=1e-12)


def test_a_map_of_sglang_can_be_the_saved_plan(answers):
    tables = answers["its own map", "deepep"]
    assert tables["map"].tolist() == WHOLE.physical_to_logical.tolist()
    found = hottest(by_table(tables["spread"], LOADS.astype(float), GPUS, SLOTS))
    assert found == pytest.approx(imbalance(WHOLE, LOADS, "even"), rel=1e-12)


def test_a_plan_from_a_file_is_served_as_the_rules_say(answers):
    far, alike = answers["file", "deepep"], answers["file", "none"]
    said = []
    for table, dispatch in ((far["spread"], "nearest"), (far["static"], "sglang-static"), (alike["spread"], "even")):
        said.append(carried(WHOLE, dispatch))
        assert by_table(table, LOADS.astype(float), GPUS, SLOTS) == pytest.approx(said[-1], rel=1e-12)
    assert all(np.abs(said[one] - said[other]).max() > 1 for one, other in ((0, 1), (0, 2), (1, 2)))
