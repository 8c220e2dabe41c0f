"""eplb-opt inspect: what a recording holds, and what no plan for it can beat."""

from __future__ import annotations

from eplb_opt.bounds.table import lower_bound
from eplb_opt.cli import options
from eplb_opt.cli.tables import records, show, show_json, show_table
from eplb_opt.io import read_loads
from eplb_opt.models import model_of
from eplb_opt.skew import skew


def run(
    loads: options.LoadFiles,
    gpus: options.Gpus = None,
    slots: options.Slots = None,
    redundant: options.Redundant = None,
    nodes: options.Nodes = 1,
    groups: options.Groups = None,
    policy: options.PolicyOption = "auto",
    distinct: options.Distinct = True,
    format: options.Format = "auto",
    windows: options.Windows = 1,
    window_length: options.WindowLength = None,
    experts: options.Experts = None,
    layers: options.NumLayers = None,
    model: options.ModelName = None,
    json: options.Json = False,
) -> int:
    """Describe a recording. With --gpus, also the instant lower bounds of each layer."""
    recorded = read_loads(loads, format, windows, window_length, experts=experts, layers=layers)
    shape = None if model is None else model_of(model)
    warnings = [] if shape is None else shape.disagreements(recorded)
    if shape is not None and not warnings:
        recorded = shape.label(recorded)
    meant = shape is not None or None not in (experts, layers)
    doubts = options.doubts_about(recorded, gpus, meant=meant)
    options.tell(doubts)
    table = skew(recorded)
    if gpus is None:
        options.require_gpus_for(
            slots=slots is not None,
            redundant=redundant is not None,
            nodes=nodes != 1,
            groups=groups is not None,
            policy=policy != "auto",
            no_distinct=not distinct,
        )
    formats = {"tokens": ",.0f", "max_over_mean": ".3f", "cv": ".3f"}
    formats |= dict.fromkeys(("hottest_share", "hottest_tenth_share"), ".4f")
    if gpus is not None:
        deployment = options.deployment_of(
            recorded.num_experts, gpus, slots, redundant, nodes, groups, policy, distinct, shape
        )
        bounds = lower_bound(recorded, deployment)
        table = table.merge(bounds, on="layer_id")
        formats |= {"least_imbalance": ".6f"}
        formats |= dict.fromkeys(("mean", "nodes", "adams", "slack", "lower_bound"), ",.1f")
    facts = {
        "source": recorded.source,
        "windows": recorded.num_windows,
        "layers": str(recorded.labels),
        "decoder_layers": recorded.num_model_layers if recorded.numbering == "decoder" else None,
        "experts": recorded.num_experts,
    }
    if shape is not None:
        facts |= {"model": shape.name}
    if json:
        show_json({**facts, "warnings": [*warnings, *doubts], "per_layer": records(table)})
        return 0
    for name, value in facts.items():
        show(f"{name.replace('_', ' '):<15} {'not known' if value is None else value}")
    for warning in warnings:
        show(f"warning: {warning}")
    show("")
    show_table(table, formats)
    return 0
