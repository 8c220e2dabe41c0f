"""eplb-opt inspect: what a recording holds, and what no plan for it can beat."""

from __future__ import annotations

import typer

from eplb_opt.bounds.table import lower_bound
from eplb_opt.cli import options
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.tables import records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.skew import skew


@grouped
def run(
    context: typer.Context,
    loads: options.LoadFiles,
    where: options.DeploymentOptions,
    reading: options.Reading,
    json: options.Json = False,
) -> int:
    """Describe a recording. With --gpus, also the instant lower bounds of each layer."""
    instances = Instances.among(loads, context)
    where = instances.complete(where)
    recorded, model = reading.recorded(loads), reading.known_model
    warnings = [] if model is None else model.disagreements(recorded)
    if model is not None and not warnings:
        recorded = model.label(recorded)
    doubts = reading.tell_doubts(recorded, where.gpus, meant=model is not None)
    table = skew(recorded)
    where.require_gpus()
    formats = {"tokens": ",.0f", "max_over_mean": ".3f", "cv": ".3f"}
    formats |= dict.fromkeys(("hottest_share", "hottest_tenth_share"), ".4f")
    notes: list[str] = []
    if where.says_gpus:
        deployment = where.deployment(recorded.num_experts, model)
        bounds = lower_bound(recorded, deployment)
        table = table.merge(bounds, on="layer_id")
        notes = instances.words(deployment)
        if recorded.num_windows > 1:
            notes.insert(0, f"bounds: of {recorded.num_windows} windows summed, whatever plans are valued by")
        formats |= {"least_imbalance": ".6f"}
        formats |= dict.fromkeys(("mean", "nodes", "adams", "slack", "few slots", "lower_bound"), ",.1f")
    facts = {
        "source": recorded.source,
        "windows": recorded.num_windows,
        "layers": str(recorded.labels),
        "decoder_layers": recorded.num_model_layers if recorded.numbering == "decoder" else None,
        "experts": recorded.num_experts,
    }
    if model is not None:
        facts |= {"model": model.name}
    if json:
        show_json({**facts, "warnings": [*warnings, *doubts], "per_layer": records(table)})
        return 0
    for name, value in facts.items():
        show(f"{name.replace('_', ' '):<15} {'not known' if value is None else value}")
    for warning in warnings:
        show(f"warning: {warning}")
    show("")
    show_table(table, formats)
    if notes:
        show("")
    for note in notes:
        show(note)
    return 0
