"""make_report: what is compared with what, and what is refused."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError, SolverError
from eplb_opt.memory import expert_gib_per_gpu
from eplb_opt.models import model_of
from eplb_opt.proof import Proof
from eplb_opt.report import make_report, making, prices
from eplb_opt.report.figures import figures_of
from eplb_opt.solve import solve
from eplb_opt.step import Step
from eplb_opt.step_times import plan_milliseconds
from tests.examples import examples
from tests.report.conftest import recorded
from tests.strategies import SMALL, TOKENS, instances

DEPLOYMENT = Deployment(4, 20)


def test_the_greedy_the_solved_and_the_trivial_plan_are_compared(hierarchical):
    assert list(hierarchical.plans) == ["lpt", "solve", "trivial"]
    assert (hierarchical.subject, hierarchical.best) == ("solve", "solve")
    for name in ("trivial", "lpt"):
        plan = solve(hierarchical.loads, hierarchical.deployment, method=name).plan
        assert hierarchical.plans[name] == plan
    assert hierarchical.plans["solve"] == hierarchical.solution.plan


def test_frames_agree_with_the_solution_and_with_evaluate(hierarchical):
    rows = hierarchical.layers[hierarchical.layers["plan"] == "solve"]
    frame = hierarchical.solution.to_frame()
    assert rows["layer_id"].tolist() == [3, 4, 5]
    for column in ("objective", "lower_bound", "gap"):
        assert rows[column].tolist() == frame[column].tolist()
    assert rows["excess"].to_numpy() == pytest.approx(frame["imbalance"] - 1)
    assert rows["share"].sum() == pytest.approx(1.0)
    assert rows["left"].sum() == pytest.approx(float(hierarchical.solution.gap))
    summary = hierarchical.summary.set_index("plan").loc["solve"]
    assert summary["excess"] == pytest.approx(frame["objective"].sum() / frame["mean_load"].sum() - 1)
    assert summary["gap"] == float(hierarchical.solution.gap)
    assert summary["total_balancedness"] == pytest.approx(1 / (1 + summary["excess"]))


def test_several_windows_are_valued_by_the_mean_over_those_with_load(several):
    assert several.solution.objective == "mean"
    metrics = several.metrics.query("plan == 'lpt' and layer_id == 5 and mean_load > 0")
    assert len(metrics) == 2
    row = several.layers.query("plan == 'lpt' and layer_id == 5").iloc[0]
    assert row["objective"] == pytest.approx(metrics["imbalance"].mean())
    assert row["excess"] == pytest.approx(row["objective"] - 1)


def test_a_given_plan_is_the_subject_and_the_cooler_one_is_deployed():
    loads = recorded()
    plans = {name: solve(loads, DEPLOYMENT, method=name).plan for name in ("biased", "snake")}
    report = make_report(loads, DEPLOYMENT, plans, time_limit=0.5)
    assert list(report.plans) == ["lpt", "biased", "snake", "solve", "trivial"]
    sums = report.layers.groupby("plan")["objective"].sum()
    assert report.subject == sums[["biased", "snake"]].idxmin()
    assert report.best == "solve"
    assert sums["solve"] < sums[report.subject]


def test_plans_without_names_are_numbered():
    loads = recorded()
    plan = solve(loads, DEPLOYMENT, method="snake").plan
    report = make_report(loads, DEPLOYMENT, [plan, plan], time_limit=0.2)
    assert list(report.plans)[1:3] == ["plan 1", "plan 2"]
    assert report.subject == "plan 1"


@pytest.mark.parametrize("deployment", [DEPLOYMENT, Deployment(4, 20, 2, 4)])
def test_with_a_solution_its_deployment_is_not_searched_again(deployment, monkeypatch):
    loads = recorded()
    solution = solve(loads, deployment, time_limit=0.5)
    searched = watched_searches(monkeypatch)
    report = make_report(loads, deployment, solution=solution, time_limit=0.4)
    assert report.solution is solution and not report.solved
    assert searched and deployment not in [each for each, _, _ in searched]
    assert "not searched again" in report.facts["bounds from"]


def test_the_other_policy_gets_as_much_time_as_the_plan_and_all_of_them_hold_the_limit(monkeypatch):
    searched = watched_searches(monkeypatch)
    make_report(recorded(experts=64, layers=4), Deployment(8, 96, 2, 4), time_limit=1.2)
    deployments = [deployment for deployment, _, _ in searched]
    assert [deployment.hierarchical for deployment in deployments] == [True, False, True, True, True]
    limits = [limit for _, limit, _ in searched]
    assert limits[1] >= limits[0] == pytest.approx(3 / 9 * 1.2)
    took = 0.0
    for _, limit, runtime in searched:
        # What is left, or next to nothing where that is nothing.
        assert limit <= max(1.2 - took, 1e-3) + 1e-9
        took += runtime


def test_what_the_time_limit_leaves_no_time_for_is_not_begun(monkeypatch):
    """First plans take as long as they take: searches that follow are not begun once the limit is over."""
    searched = watched_searches(monkeypatch)
    report = make_report(recorded(windows=2), DEPLOYMENT, time_limit=1e-6)
    assert [deployment for deployment, _, _ in searched] == [DEPLOYMENT]
    assert len(report.prices) == 1 and report.held_out.scores is None
    text = report.to_markdown()
    assert "Not planned, as the time limit was over: replicas may share a GPU" in text
    assert "Not computed: the time limit was over." in text


def watched_searches(monkeypatch):
    """Deployments, time limits and seconds of the searches that a report makes from now on."""
    searched = []

    def watched(loads, deployment, **options):
        solution = solve(loads, deployment, **options)
        if options.get("method", "auto") == "auto":
            searched.append((deployment, options["time_limit"], solution.runtime))
        return solution

    monkeypatch.setattr(making, "solve", watched)
    monkeypatch.setattr(prices, "solve", watched)
    return searched


def test_an_interrupt_ends_the_report_with_what_is_known(monkeypatch):
    loads = recorded(windows=2)
    solution = replace(solve(loads, DEPLOYMENT, method="lpt"), interrupted=True)
    searched = watched_searches(monkeypatch)
    report = make_report(loads, DEPLOYMENT, solution=solution)
    assert searched == [] and len(report.prices) == 1 and report.held_out.scores is None
    text = report.to_markdown()
    assert "Not computed: the search was interrupted." in text
    assert "Not planned, as the search was interrupted: replicas may share a GPU" in text


@examples(10)
@given(instances(max_windows=2, kinds=(SMALL, TOKENS)))
def test_no_plan_of_a_report_is_below_the_bound(instance):
    loads = np.array(instance.weights)[:, np.newaxis]
    report = make_report(loads, instance.deployment, time_limit=0.05)
    assert (report.layers["gap"] >= 0).all()
    assert (report.layers["objective"] >= report.layers["lower_bound"]).all()
    assert report.to_markdown()


def test_a_bound_above_a_plan_is_a_contradiction():
    loads = recorded()
    solution = solve(loads, DEPLOYMENT, method="trivial")
    claim = Proof("program", solution.layers[0].objective, checked=False)
    wrong = replace(solution, layers=(replace(solution.layers[0], proof=claim), *solution.layers[1:]))
    with pytest.raises(SolverError, match=r"layer 3 of lpt is worth .*, below the bound"):
        make_report(loads, DEPLOYMENT, solution=wrong)


def test_wrong_use_is_one_sentence():
    loads = recorded()
    plan = solve(loads, DEPLOYMENT, method="lpt").plan
    solution = solve(loads, DEPLOYMENT, method="lpt")
    with pytest.raises(InvalidArgumentError, match="deployment=4 is not a Deployment"):
        make_report(loads, 4)
    with pytest.raises(InvalidArgumentError, match="time_limit=0 is not a positive number"):
        make_report(loads, DEPLOYMENT, time_limit=0)
    with pytest.raises(InvalidArgumentError, match=r"plans\['a'\]=3 is not a Plan"):
        make_report(loads, DEPLOYMENT, {"a": 3})
    with pytest.raises(InvalidArgumentError, match="cannot be called 'lpt'"):
        make_report(loads, DEPLOYMENT, {"lpt": plan})
    with pytest.raises(InvalidPlanError, match="a has 20 slots"):
        make_report(loads, Deployment(4, 24), {"a": plan})
    with pytest.raises(InvalidArgumentError, match="objective='worst', but the solution is for 'total'"):
        make_report(loads, DEPLOYMENT, solution=solution, objective="worst")
    other = replace(solution, layers=(replace(solution.layers[0], max_load=Fraction(1)), *solution.layers[1:]))
    with pytest.raises(InvalidArgumentError, match="not of this recording"):
        make_report(loads, DEPLOYMENT, solution=other)


def test_memory_and_time_are_figures_where_a_model_and_a_time_model_tell():
    loads = recorded()
    model = replace(model_of("mixtral-8x7b"), num_experts=16)
    plain = make_report(loads, DEPLOYMENT, time_limit=0.3)
    assert not {"Experts of a step", "Experts of a GPU"} & {figure.label for figure in figures_of(plain)}
    report = make_report(
        loads, DEPLOYMENT, time_limit=0.3, model=model, time_model="deepseek-v3-fp8", tokens_per_gpu=512
    )
    figures = {figure.label: figure for figure in figures_of(report)}
    step = Step.of("deepseek-v3-fp8", 512, model)
    plan = report.plans[report.best]
    assert figures["Experts of a step"].value == f"{plan_milliseconds(step, plan, loads):.2f}"
    assert report.costs.least_milliseconds <= report.costs.milliseconds[report.best]
    assert figures["Experts of a GPU"].value == f"{expert_gib_per_gpu(model, DEPLOYMENT.slots_per_gpu):.1f}"
