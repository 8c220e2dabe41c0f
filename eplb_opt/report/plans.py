"""Sections: the plans against the bound, and the load of each GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eplb_opt.compare import SOLVE
from eplb_opt.loads import Loads
from eplb_opt.report.blocks import Block, Items, Picture, Section, Table, Text
from eplb_opt.report.colours import GREEDY, OLD, TRIVIAL
from eplb_opt.report.data import ReportData
from eplb_opt.report.gpus import plot_gpu_loads
from eplb_opt.report.layers import plot_layers
from eplb_opt.report.verdict import subject_words
from eplb_opt.report.words import in_percent, percent, plural

# The figures over layers and windows, by their names in `eplb_opt.evaluate`, with what they are and who reports them.
METRICS = {
    "total_balancedness": "sum of mean loads / sum of max loads (vLLM)",
    "mean_balancedness": "mean of mean load / max load (SGLang)",
    "mean_imbalance": "mean of max load / mean load (vLLM-Ascend)",
    "worst_imbalance": "largest max load / mean load",
    "mean_relative_excess": "mean of (max - mean) / mean (TensorRT-LLM)",
    "mean_slot_balancedness": "mean of mean slot load / max slot load",
    "total_slot_balancedness": "sum of mean slot loads / sum of max slot loads (published scores)",
    "cross_node_share": "part of the load that is served on another node than its source's",
}

# What each dispatch means for a GPU's tokens.
_DISPATCH_WORDS = {
    "nearest": "by which a GPU asks a replica of its own, else one on its node, else any.",
    "sglang-static": "by which a GPU asks a replica of its own, else one on its node, else one that is drawn at start.",
    "by-rank": "by which GPU g asks replica g modulo the replicas.",
    "optimal": "by which the load is split so that the hottest GPU is as cool as can be.",
}

_WORDS = {
    GREEDY: "DeepSeek's EPLB, which engines ship: what an engine does by itself once EPLB is on, under the same rules.",
    SOLVE: "the plan that `solve` found under the same rules.",
    OLD: "the plan that runs.",
    TRIVIAL: "experts one after another, then again from the first, as engines start without EPLB.",
}


def plans_section(report: ReportData) -> Section:
    """The plan against the trivial start, the published greedy and the bound."""
    return Section("plans", "How good the plan is", tuple(_plans(report)))


def _plans(report: ReportData) -> Iterator[Block]:
    failed = ((name, f"no plan: {error}.") for name, error in report.methods.items() if error)
    yield Items((*((label, _words_of(name, report)) for name, label in report.labels.items()), *failed))
    if report.deployment.dispatch != "even":
        yield Text(_dispatch_words(report))
    yield _summary_table(report)
    if report.loads.num_layers > 1:
        yield _layers_picture(report)
    yield _metrics_table(report)
    if report.loads.num_layers > 1:
        yield _layers_table(report)


def _dispatch_words(report: ReportData) -> str:
    dispatch = report.deployment.dispatch
    return (
        f"Replicas of an expert do not share its load equally here: the figures of this page are for dispatch "
        f"`{dispatch}`, {_DISPATCH_WORDS[dispatch]} The last column of the first table says what the plans would be "
        "worth if replicas shared equally, which the published policy assumes."
    )


def _layers_picture(report: ReportData) -> Picture:
    return Picture(
        f"Every layer by itself: the hottest GPU above the mean{_over(report)}. Short lines are the proven "
        "bound, below which no plan can be. Mind the scale: each line is about three times the one below.",
        f"Chart of {plural(report.loads.num_layers, 'layer')}: {_chart_words(report)}.",
        lambda ax: plot_layers(report.layers, ax),
        height=4.2,
    )


def _words_of(name: str, report: ReportData) -> str:
    words = "what this method plans." if name in report.methods else _WORDS.get(name, "as given.")
    if (name == GREEDY or name in report.methods) and report.loads.num_windows > 1:
        words += " It plans for the sum of the windows."
    return words


def _over(report: ReportData) -> str:
    return {"total": "", "mean": ", mean over windows", "worst": ", in the worst window"}[report.solution.objective]


def _chart_words(report: ReportData) -> str:
    rows = (f"{row['label']} {percent(row['excess'])}" for row in report.figures.values())
    return f"hottest GPU above the mean, all layers together: {', '.join(rows)}"


def _summary_table(report: ReportData) -> Table:
    dispatched = report.deployment.dispatch != "even"
    rows = [
        (row["label"], in_percent(row["excess"]), in_percent(row["worst_excess"]), f"{100 * row['gap']:.4f}")
        + ((in_percent(row["excess_even"]),) if dispatched else ())
        for row in report.figures.values()
    ]
    # Bounds are the same for all plans.
    worst = float(report.layers["least_excess"].max())
    bound = ("proven bound", in_percent(report.figures[SOLVE]["least_excess"]), in_percent(worst), "-")
    rows.append(bound + ("-",) * dispatched)
    return Table(
        f"Hottest GPU above the mean{_over(report)}{_under(report)}. The gap is what the hottest GPU's load could "
        "still fall by.",
        ("plan", "all layers (%)", "worst layer (%)", "gap (%)") + ("all layers, if split evenly (%)",) * dispatched,
        tuple(rows),
    )


def _under(report: ReportData) -> str:
    dispatch = report.deployment.dispatch
    return "" if dispatch == "even" else f", under dispatch `{dispatch}`"


def _metrics_table(report: ReportData) -> Table:
    plans = report.figures.values()
    rows = tuple(
        (f"`{name}`", words, *(f"{row[name]:.4f}" for row in plans))
        for name, words in METRICS.items()
        if name in report.summary
    )
    windows = f" and {report.loads.num_windows} windows" if report.loads.num_windows > 1 else ""
    load = "" if report.loads.loaded.all() else ", where these have load"
    return Table(
        f"The same in the figures that engines report, over {plural(report.loads.num_layers, 'layer')}{windows}{load}; "
        "names as in `eplb_opt.evaluate`.",
        ("metric", "what it is", *report.labels.values()),
        rows,
        names=2,
        cards=True,
    )


def _layers_table(report: ReportData) -> Table:
    columns = [[row["excess"] for row in rows] for rows in report.by_layer.values()]
    bound = [row["least_excess"] for row in report.by_layer[SOLVE]]
    rows = tuple(
        (str(layer), *map(in_percent, values))
        for layer, *values in zip(report.loads.layer_ids, *columns, bound, strict=True)
    )
    return Table(
        f"Layer by layer: hottest GPU above the mean, in per cent{_over(report)}.",
        ("layer", *report.labels.values(), "proven bound"),
        rows,
        long=True,
    )


def gpus_section(report: ReportData) -> Section:
    """Load per GPU before and after."""
    row = _row_that_matters(report)
    layer = report.loads.layer_ids[row]
    shown = {name: plan for name, plan in report.plans.items() if name != SOLVE or report.best == SOLVE}
    before, after = (report.by_layer[name][row]["excess"] for name in (GREEDY, report.best))
    loads = _as_valued(report)
    over = ", mean over windows" if loads.num_windows > 1 else ""
    where = f"Layer {layer}" + ", where the best plan gains the most over the engine's policy" * (
        report.loads.num_layers > 1
    )
    one = Picture(
        f"{where}: each GPU's load over the mean{over}. A flat line at 1 is perfect balance.",
        f"Curves of GPU loads in layer {layer}: the hottest GPU is {percent(before)} above the mean with the engine's "
        f"policy, {percent(after)} with {report.labels[report.best]}.",
        lambda ax: plot_gpu_loads(shown, loads, layer, ax, report.labels),
    )
    blocks: list[Block] = [
        Text("All GPUs wait for the hottest one, in every layer: what counts is the left end of the curves."),
        one,
    ]
    if report.loads.num_layers > 1:
        blocks.append(
            Picture(
                f"The GPUs of all {report.loads.num_layers} layers in one row{over}.",
                f"Curves of the loads of all GPUs of all layers over their layer's mean, with {subject_words(report)} "
                "and with the engine's policy.",
                lambda ax: plot_gpu_loads(shown, loads, None, ax, report.labels),
            )
        )
    return Section("gpus", "What each GPU carries", tuple(blocks))


def _as_valued(report: ReportData) -> Loads:
    """The loads that plans are valued by: windows summed where the objective sums them."""
    loads = report.loads
    if report.solution.objective != "total":
        return loads
    return Loads(loads.values.sum(axis=0, dtype=np.float64), source=loads.source, **loads.labels.fields)


def _row_that_matters(report: ReportData) -> int:
    """Row of the layer with load whose objective the best plan lowers most."""
    before, after = report.by_layer[GREEDY], report.by_layer[report.best]
    rows = np.flatnonzero(report.loads.loaded.any(axis=0)).tolist()
    return max(rows, key=lambda row: float(before[row]["objective"] - after[row]["objective"]))
