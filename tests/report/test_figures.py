"""Figures draw what the frames say, on the axes that they are given."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report import make_report, plot_gpu_loads, plot_heat, plot_layers, plot_progress, plot_skew
from eplb_opt.report.colours import colours_of
from eplb_opt.report.progress import steps_of


@pytest.fixture
def ax():
    return Figure().subplots()


def line_of(ax, label):
    (line,) = (line for line in ax.get_lines() if line.get_label() == label)
    return line.get_ydata()


def test_every_figure_draws_where_it_is_told_and_else_where_pyplot_does(hierarchical, monkeypatch):
    from matplotlib import pyplot

    calls = {
        "heat": lambda ax: plot_heat(hierarchical.loads, ax),
        "skew": lambda ax: plot_skew(hierarchical.loads, ax),
        "layers": lambda ax: plot_layers(hierarchical.layers, ax),
        "gpus": lambda ax: plot_gpu_loads(hierarchical.plans, hierarchical.loads, ax=ax),
        "progress": lambda ax: plot_progress(hierarchical.solution, ax),
    }
    for name, call in calls.items():
        axes = Figure().subplots()
        assert call(axes) is axes, name
        assert axes.get_xlabel() and axes.get_ylabel(), name
        current = Figure().subplots()
        monkeypatch.setattr(pyplot, "gca", lambda current=current: current)
        assert call(None) is current, name


def test_the_heat_map_has_a_row_for_each_layer_and_names_the_decoder_layers(hierarchical, ax):
    plot_heat(hierarchical.loads, ax)
    (image,) = ax.get_images()
    values = hierarchical.loads.values[0]
    assert np.allclose(image.get_array(), values / values.mean(axis=1, keepdims=True))
    label = ax.yaxis.get_major_formatter()
    assert [label(0, 0), label(2, 0), label(3, 0)] == ["3", "5", ""]


def test_the_curve_of_experts_is_the_median_of_the_layers(hierarchical, ax):
    plot_skew(hierarchical.loads, ax)
    values = hierarchical.loads.values[0]
    ranked = -np.sort(-values / values.mean(axis=1, keepdims=True))
    assert np.allclose(line_of(ax, "median of the layers"), np.median(ranked, axis=0))


def test_layers_are_drawn_in_per_cent_with_the_bound(hierarchical, ax):
    plot_layers(hierarchical.layers, ax)
    for name, label in hierarchical.labels.items():
        rows = hierarchical.layers[hierarchical.layers["plan"] == name]
        assert np.allclose(line_of(ax, label), 100 * rows["excess"])
    (bound,) = ax.collections
    least = 100 * hierarchical.layers["least_excess"][:3]
    assert np.allclose([segment[0][1] for segment in bound.get_segments()], least)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["3", "4", "5"]
    low, high = ax.get_ylim()
    assert low < least.min() and 100 * hierarchical.layers["excess"].max() < high
    assert len([tick for tick in ax.get_yticks() if low <= tick <= high]) >= 2


def test_a_bound_at_zero_is_on_the_scale(several, ax):
    plot_layers(several.layers, ax)
    assert 0 in ax.get_yticks() and ax.get_ylim()[0] < 0


@pytest.mark.parametrize("value", [0.0, 0.636, 1e-9, 35.0])
def test_a_scale_has_two_lines_whatever_the_values(hierarchical, ax, value):
    plot_layers(hierarchical.layers.assign(excess=value, least_excess=value), ax)
    low, high = ax.get_ylim()
    assert low < 100 * value < high
    assert len([tick for tick in ax.get_yticks() if low <= tick <= high]) >= 2


def test_the_hottest_gpu_of_a_layer_is_its_imbalance(hierarchical, ax):
    plot_gpu_loads(hierarchical.plans, hierarchical.loads, 4, ax)
    for name in hierarchical.plans:
        row = hierarchical.metrics.query("plan == @name and layer_id == 4")
        curve = line_of(ax, name)
        assert len(curve) == 4
        assert curve[0] == pytest.approx(row["imbalance"].iloc[0])


def test_without_a_layer_the_gpus_of_all_are_in_one_decreasing_curve(hierarchical, ax):
    plot_gpu_loads(hierarchical.plans["lpt"], hierarchical.loads, ax=ax)
    curve = line_of(ax, "plan")
    assert len(curve) == 3 * 4
    assert (np.diff(curve) <= 0).all()
    assert curve.mean() == pytest.approx(1.0)


def test_an_absent_layer_is_one_sentence(hierarchical, ax):
    with pytest.raises(InvalidArgumentError, match="layer_id=9 is not a layer of the loads"):
        plot_gpu_loads(hierarchical.plans, hierarchical.loads, 9, ax)


def test_progress_ends_at_the_gap_and_never_turns_back(hierarchical, ax):
    steps = steps_of(hierarchical.solution)
    seconds, above, below = map(np.array, zip(*steps, strict=True))
    assert (np.diff(seconds) >= 0).all() and (np.diff(above) <= 1e-9).all() and (np.diff(below) >= -1e-9).all()
    assert below[-1] == pytest.approx(0.0)
    gap = float(hierarchical.solution.gap)
    assert above[-1] == pytest.approx(100 * gap / (1 - gap))
    plot_progress(hierarchical.solution, ax)
    assert line_of(ax, "best plan")[-1] == pytest.approx(above[-1])


def test_without_a_trace_there_is_nothing_to_draw(hierarchical, ax):
    solution = hierarchical.solution
    silent = replace(solution, layers=tuple(replace(layer, trace=()) for layer in solution.layers))
    assert steps_of(silent) == []
    assert plot_progress(silent, ax).get_lines() == []


@pytest.fixture
def emptied(several):
    """The same as `several`, where the last layer has no load at all."""
    values = several.loads.values.copy()
    values[:, 2] = 0
    return make_report(Loads(values, several.loads.layer_ids), several.deployment, time_limit=0.5)


def test_layers_without_load_are_left_out_of_every_figure(emptied, ax):
    plot_layers(emptied.layers, ax)
    assert np.isnan(line_of(ax, "eplb_opt")).tolist() == [False, False, True]
    kept = Loads(emptied.loads.values[:, :2], emptied.loads.layer_ids[:2])
    for plot, label in (
        (plot_skew, "median of the layers"),
        (lambda loads, ax: plot_gpu_loads(emptied.plans["lpt"], loads, ax=ax), "plan"),
    ):
        curves = [line_of(plot(loads, Figure().subplots()), label) for loads in (emptied.loads, kept)]
        assert np.array_equal(*curves)
    plot_heat(emptied.loads, axes := Figure().subplots())
    (image,) = axes.get_images()
    assert image.get_array().mask.all(axis=1).tolist() == [False, False, True]
    solution = emptied.solution
    silent = replace(solution, layers=(*solution.layers[:2], replace(solution.layers[2], trace=())))
    assert steps_of(silent) == steps_of(solution) != []
    assert "nan" not in emptied.to_markdown()
    assert emptied.to_html()


def test_without_any_load_no_figure_has_a_curve():
    loads = Loads(np.zeros((2, 2, 8)))
    plan = Plan([list(range(8))] * 2, Deployment(4, 8), 8)
    for plot in (plot_skew, plot_heat, lambda loads, ax: plot_gpu_loads(plan, loads, ax=ax)):
        axes = plot(loads, Figure().subplots())
        assert all(len(line.get_ydata()) == 0 or line.get_label().startswith("mean") for line in axes.get_lines())
    report = make_report(loads, Deployment(4, 8), time_limit=0.2)
    assert report.summary["excess"].isna().all() and (report.summary["gap"] == 0).all()
    assert np.isnan(line_of(plot_layers(report.layers, Figure().subplots()), "eplb_opt")).all()
    assert steps_of(report.solution) == []


def test_plans_keep_their_colours_and_neighbours_differ():
    colours = colours_of(["trivial", "lpt", "a", "b", "c", "solve"])
    assert len({to_hex(colour) for colour in colours.values()}) == 6
    assert colours_of(["solve"])["solve"] == colours["solve"]
