"""Section: what each rule and each slot costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eplb_opt.deployment import Deployment
from eplb_opt.report.blocks import Block, Section, Table, Text
from eplb_opt.report.data import ReportData, rows_of
from eplb_opt.report.prices import AS_IT_IS
from eplb_opt.report.words import gain_words, in_percent, plural


def rules_section(report: ReportData) -> Section:
    """Bound and plan for the deployment as it is, and with one rule or one slot per GPU changed."""
    return Section("rules", "What each rule and each slot costs", tuple(_blocks(report)))


def _blocks(report: ReportData) -> Iterator[Block]:
    deployment = report.deployment
    if deployment.hierarchical:
        yield Text(_rule_words(deployment))
    elif deployment.policy == "auto" and deployment.num_nodes > 1:
        yield Text(
            f"Groups bind nothing: the {plural(deployment.num_groups, 'group')} do not divide by "
            f"{deployment.num_nodes} nodes, so that they cannot be kept on one node each."
        )
    rows = rows_of(report.prices)
    if report.unpriced:
        yield Text(report.unpriced)
    if len(rows) == 1:
        return
    yield Text(
        "The same loads were planned again with one thing changed at a time. What a change does to the hottest GPU is "
        "proven: it lies within what bounds and plans of both sides leave open, however good the searches were. "
        f"{_seconds_words(report, rows)}"
    )
    yield Table(
        "Hottest GPU above the mean, and by how much of the mean load each change makes it cooler or hotter.",
        ("change", "hottest GPU, proven", "best plan found (%)", "proven bound (%)", "seconds"),
        tuple(
            (
                str(row["words"]),
                "" if row["change"] == AS_IT_IS else gain_words(row["least_gain"], row["most_gain"]),
                in_percent(row["excess"]),
                in_percent(row["least_excess"]),
                f"{row['seconds']:.1f}",
            )
            for row in rows
        ),
        names=2,
        cards=True,
    )
    yield Text(
        "Fewer rules and more slots have prices of their own, traffic between nodes and memory. What those cost, only "
        "a measurement on the machines can tell."
    )


def _seconds_words(report: ReportData, rows: list[dict[str, Any]]) -> str:
    """Who had how much time."""
    took = sum(row["seconds"] for row in rows if report.solved or row["change"] != AS_IT_IS)
    if not report.solved:
        return f"The plan as it is was given, with its time; the other searches took {took:.1f} s."
    policy = "The other policy was given as much time as the plan, and each other change" * ("policy" in report.changes)
    return (
        f"All searches took {took:.1f} s. {policy or 'Each change was given'} a third of the plan's time, with what "
        "searches before had left."
    )


def _rule_words(deployment: Deployment) -> str:
    return (
        f"The model's {plural(deployment.num_groups, 'expert group')} are bound to nodes: each of "
        f"{plural(deployment.num_nodes, 'node')} takes {deployment.groups_per_node}, and all replicas of an expert "
        "stay on the node of its group. This keeps traffic between nodes low, and it limits balance: a node with hot "
        "groups cannot hand load to another node."
    )
