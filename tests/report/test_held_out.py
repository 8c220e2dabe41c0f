"""Windows that are left out: what is told of them is what evaluate says of plans for the others."""

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.evaluate import evaluate
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report import make_report
from eplb_opt.report.effort import Effort
from tests.report.conftest import recorded

DEPLOYMENT = Deployment(4, 20)


@pytest.fixture
def in_time(monkeypatch):
    """A clock that stands still, so that a slow machine leaves out all windows too."""
    monkeypatch.setattr(Effort, "over", False)
    monkeypatch.setattr("eplb_opt.held_out.monotonic", lambda: 0.0)


def greedy_imbalances(loads, left_out):
    """Imbalance of each layer on the window that is left out, of the greedy plan for the sum of the others."""
    others = np.delete(loads.values, left_out, axis=0).sum(axis=0, keepdims=True)
    rows = [greedy(Instance.from_loads(others[:, layer], DEPLOYMENT)) for layer in range(loads.num_layers)]
    plan = Plan(np.stack(rows), DEPLOYMENT, loads.num_experts, loads.layer_ids)
    return evaluate(plan, Loads(loads.values[left_out], loads.layer_ids))["imbalance"].to_numpy()


@pytest.mark.parametrize("objective", ["mean", "worst", "total"])
def test_each_window_is_left_out_and_scored_as_the_objective_has_it(objective, in_time):
    loads = recorded(windows=3)
    report = make_report(loads, DEPLOYMENT, objective=objective, time_limit=0.3)
    scores = report.held_out.scores
    assert scores["window"].tolist() == [0, 1, 2] and report.held_out.missing == ""
    imbalances = np.array([greedy_imbalances(loads, window) for window in range(3)])
    means = loads.values.sum(axis=2) / 4
    if objective == "total":
        by_window = (imbalances * means).sum(axis=1) / means.sum(axis=1)
        together = (imbalances * means).sum() / means.sum()
    else:
        by_window = imbalances.mean(axis=1)
        together = imbalances.max(axis=0).mean() if objective == "worst" else imbalances.mean()
    assert scores["lpt"].to_numpy() == pytest.approx(by_window - 1)
    assert report.held_out.together["lpt"] == pytest.approx(together - 1)


def test_windows_are_called_by_their_names(in_time):
    loads = recorded(windows=2)
    loads = Loads(loads.values, loads.layer_ids, window_names=("monday.json", "tuesday.json"))
    text = make_report(loads, DEPLOYMENT, time_limit=0.3).to_markdown()
    left_out = text[text.index("## On a recording") :]
    assert left_out.index("| monday.json |") < left_out.index("| tuesday.json |") < left_out.index("| together |")
    assert "| monday.json |" in text[: text.index("## How good the plan is")]
    assert "window 0" not in text


def test_what_is_not_computed_is_said(monkeypatch):
    loads = recorded(windows=3)
    one = make_report(Loads(loads.values[0], loads.layer_ids), DEPLOYMENT, time_limit=0.2)
    assert "There is one recording." in one.to_markdown() and not one.held_out.together
    # No window but the first is begun once the time is over.
    late = make_report(loads, DEPLOYMENT, time_limit=1e-3)
    assert "Not computed: the time limit was over." in late.to_markdown() and late.held_out.scores is None
    began = iter([0.0] * 2 + [1e6] * 100)
    monkeypatch.setattr("eplb_opt.held_out.monotonic", lambda: next(began))
    monkeypatch.setattr(Effort, "over", False)
    late = make_report(loads, DEPLOYMENT, time_limit=0.2)
    assert late.held_out.scores["window"].tolist() == [0]
    assert "1 of 3 were left out; more take a longer time limit" in late.to_markdown()
