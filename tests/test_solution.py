"""What a solution says about itself: exact gaps, the weakest status, one line for a log."""

from dataclasses import replace
from fractions import Fraction

import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.layer_solution import LayerSolution, relative_gap
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof, strongest
from eplb_opt.solution import Solution, percent


def layer(layer_id=0, objective=4, bound=4, mean=4, stopped_by=None, argument="mean") -> LayerSolution:
    value = Fraction(objective)
    return LayerSolution(layer_id, value, value, Fraction(mean), Proof(argument, Fraction(bound), True), stopped_by)


def solution(*layers: LayerSolution) -> Solution:
    ids = tuple(one.layer_id for one in layers)
    return Solution(Plan([[0, 1]] * len(layers), Deployment(2, 2), 2, ids), layers, "total", runtime=1.25)


def test_gap_is_relative_to_the_objective():
    assert layer(objective=5, bound=4).gap == Fraction(1, 5)
    assert layer(objective=5, bound=4).lower_bound == 4


def test_a_layer_is_optimal_only_if_its_bound_meets_the_objective_exactly():
    assert layer(objective=4, bound=4).status == "optimal"
    almost = Fraction(4) - Fraction(1, 10**40)
    assert layer(objective=4, bound=almost, stopped_by="gap").status == "feasible"


def test_a_layer_without_load_is_optimal_with_gap_zero_and_imbalance_one():
    empty = layer(objective=0, bound=0, mean=0)
    assert (empty.gap, empty.status, empty.imbalance) == (0, "optimal", 1)


def test_imbalance_is_max_over_mean():
    assert layer(objective=5, bound=4, mean=4).imbalance == Fraction(5, 4)


def test_the_gap_of_a_solution_is_that_of_the_sums():
    # (5 + 10 - 4 - 10) / 15, while the layers' gaps are 1/5 and 0.
    both = solution(layer(0, 5, 4), layer(1, 10, 10))
    assert both.gap == Fraction(1, 15)
    assert both.worst_gap == Fraction(1, 5)


def test_the_status_of_a_solution_is_the_weakest():
    assert solution(layer(0), layer(1)).status == "optimal"
    assert solution(layer(0), layer(1, 5, 4)).status == "feasible"


def test_a_solution_without_any_load_has_no_gap():
    empty = solution(layer(0, 0, 0, 0))
    assert (empty.gap, empty.worst_gap, empty.status) == (0, 0, "optimal")
    words = "imbalance 1.000000, bound 1.000000, gap 0 % (worst layer 0 %), 1.2 s"
    assert str(empty) == f"1 layer (1 without load): {words}"


def test_layers_without_load_count_in_no_figure_over_layers():
    # Imbalances 5/4 and, by definition, 1: the mean over the layers with load is 5/4.
    loaded, empty = layer(0, Fraction(5, 4), 1, 8), layer(1, 1, 1, 0)
    both = replace(solution(loaded, empty), objective="mean")
    assert both.loaded_layers == (loaded,)
    assert both.gap == both.worst_gap == Fraction(1, 5)
    words = "imbalance 1.250000 (mean over windows), bound 1.000000, gap 20 % (worst layer 20 %), 1.2 s"
    assert str(both) == f"2 layers (1 without load): {words}"
    # Where no layer has load all of them count, as there is nothing else to speak of.
    assert replace(solution(empty), objective="mean").loaded_layers == (empty,)


def test_a_solution_prints_as_one_line():
    # Sums: objective 15, bound 14, mean 12: imbalance 1.25, bound 14/12, gap 1/15, worst 1/5.
    text = str(solution(layer(3, 5, 4, 4), layer(4, 10, 10, 8)))
    assert text == "2 layers: imbalance 1.250000, bound 1.166667, gap 6.7 % (worst layer 20 %), 1.2 s"


def test_only_an_exact_zero_prints_as_zero():
    assert percent(Fraction(0)) == "0 %"
    assert percent(Fraction(1, 10**30)) == "1e-28 %"
    assert percent(Fraction(1, 8)) == "12 %"


@pytest.mark.parametrize("gap", [Fraction(1), Fraction(999, 1000)])
def test_a_gap_near_one_prints_as_a_plain_number(gap):
    assert "e" not in percent(gap)


def test_relative_gap_of_nothing_is_zero():
    assert relative_gap(Fraction(0), Fraction(0)) == 0
    assert relative_gap(Fraction(3), Fraction(2)) == Fraction(1, 3)


def test_to_frame_has_one_row_per_layer():
    frame = solution(layer(3, 5, 4, 4, "time", "slack"), layer(7, 10, 10, 8)).to_frame()
    assert frame["layer_id"].tolist() == [3, 7]
    assert frame["objective"].tolist() == [5.0, 10.0]
    assert frame["lower_bound"].tolist() == [4.0, 10.0]
    assert frame["gap"].tolist() == [0.2, 0.0]
    assert frame["status"].tolist() == ["feasible", "optimal"]
    assert frame["stopped_by"][0] == "time"
    assert frame["stopped_by"].isna().tolist() == [False, True]
    assert frame["proof"].tolist() == ["slack", "mean"]
    assert frame["checked"].tolist() == [True, True]
    assert frame["imbalance"].tolist() == [1.25, 1.25]
    assert frame["max_load"].tolist() == [5.0, 10.0]
    assert frame["mean_load"].tolist() == [4.0, 8.0]


def test_the_strongest_proof_is_the_largest_bound_then_the_checked_one():
    weak, told, shown = (Proof("a", Fraction(1), True), Proof("b", Fraction(2), False), Proof("c", Fraction(2), True))
    assert strongest(weak, told, shown) is shown
    assert strongest(weak, told) is told
    assert str(told) == "b (not checked)"
    assert str(Proof("b", Fraction(2), False, "cpsat")) == "b by cpsat (not checked)"
    assert str(shown) == "c (checked)"
