"""diff: figures by the definition alone, of plans whose moves are known."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.diff import summarise_diff
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.evaluate import summarise
from eplb_opt.loads import Loads
from eplb_opt.models import MODELS
from eplb_opt.plan import Plan
from eplb_opt.time_model import TimeModel

DEPLOYMENT = Deployment(2, 4)
# Layer 3: expert 0 comes to GPU 1 and expert 3 to GPU 0. Layer 5: GPUs have changed places. Layer 6: slots alone have.
OLD = Plan(np.array([[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]), DEPLOYMENT, 4, layer_ids=(3, 5, 6))
NEW = replace(OLD, physical_to_logical=np.array([[3, 1, 2, 0], [2, 3, 1, 0], [1, 0, 2, 3]]))
# No load in layer 6, and none of layer 5 in the second window.
LOADS = Loads(np.array([[[6, 2, 1, 1], [1, 1, 3, 3], [0] * 4], [[4, 4, 4, 0], [0] * 4, [0] * 4]]), (3, 5, 6))
TIMES = TimeModel(per_replica=0, per_token=1, experts_per_token=1)


def test_moves_are_those_that_are_there_and_those_that_are_left():
    frame = eplb_opt.diff(OLD, NEW)
    assert frame.to_dict(orient="list") == {
        "layer_id": [3, 5, 6],
        "moves": [2, 4, 0],
        "fewest_moves": [2, 0, 0],
        "batches": [1, 2, 0],
    }
    assert summarise_diff(frame) == {"moves": 6, "fewest_moves": 2, "batches": 3, "most_batches": 2}


def test_imbalances_are_means_over_the_windows_with_load():
    frame = eplb_opt.diff(OLD, NEW, LOADS)
    # Layer 3: max 8 and 8 of means 5 and 6, then 7 and 8 as GPU 1 carries 1 + 6 and 4 + 4.
    assert frame["imbalance_before"].tolist()[:2] == pytest.approx([(8 / 5 + 8 / 6) / 2, 6 / 4])
    assert frame["imbalance_after"].tolist()[:2] == pytest.approx([(7 / 5 + 8 / 6) / 2, 6 / 4])
    assert isnan(frame["imbalance_before"][2]) and isnan(frame["imbalance_after"][2])
    summary = summarise_diff(frame)
    for plan, when in ((OLD, "before"), (NEW, "after")):
        by_layer = eplb_opt.evaluate(plan, LOADS).groupby("layer_id")["imbalance"].mean()
        assert summary[f"imbalance_{when}"] == pytest.approx(by_layer.mean())


def test_an_array_of_loads_is_row_by_row():
    assert eplb_opt.diff(OLD, NEW, LOADS.values).equals(eplb_opt.diff(OLD, NEW, LOADS))


def test_times_are_those_of_evaluate_and_pay_after_what_copying_takes():
    model = replace(MODELS["deepseek-v3"], num_experts=4, experts_per_token=1, expert_bytes=10**9)
    options = {"time_model": TIMES, "tokens_per_gpu": 500}
    frame = eplb_opt.diff(OLD, NEW, LOADS, model=model, **options)
    assert frame["gib"].tolist() == pytest.approx([2e9 / 2**30, 4e9 / 2**30, 0])
    summary = summarise_diff(frame, bandwidth=2)
    before, after = (summarise(eplb_opt.evaluate(p, LOADS, model=model, **options))["milliseconds"] for p in (OLD, NEW))
    assert summary["milliseconds_before"] == pytest.approx(before)
    assert summary["milliseconds_after"] == pytest.approx(after)
    # In layer 3 the GPUs exchange an expert, in layer 5 two, a GB each.
    assert summary["seconds_to_copy"] == pytest.approx(1.5)
    assert summary["steps_to_break_even"] == pytest.approx(1500 / (before - after))
    backwards = eplb_opt.diff(NEW, OLD, LOADS, model=model, **options)
    assert isnan(summarise_diff(backwards, bandwidth=2)["steps_to_break_even"])


def test_layers_that_only_the_old_plan_has_do_not_count():
    fewer = NEW.select((5, 6))
    assert eplb_opt.diff(OLD, fewer)["moves"].tolist() == [4, 0]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: eplb_opt.diff(OLD, [[0, 1]]), "is not a Plan"),
        (lambda: eplb_opt.diff(OLD, NEW, time_model=TIMES, tokens_per_gpu=1), "a time model needs loads"),
        (lambda: summarise_diff(eplb_opt.diff(OLD, NEW), bandwidth=2), "needs a model"),
        (lambda: summarise_diff(eplb_opt.diff(OLD, NEW), bandwidth=0), "not a positive number of GB/s"),
    ],
)
def test_what_means_nothing_is_one_sentence(call, sentence):
    with pytest.raises(InvalidArgumentError, match=sentence):
        call()


def test_a_plan_that_breaks_a_rule_is_named():
    broken = replace(OLD, physical_to_logical=np.array([[0, 0, 2, 3]] * 3))
    with pytest.raises(InvalidPlanError, match="the old plan is not valid"):
        eplb_opt.diff(broken, NEW, LOADS)
