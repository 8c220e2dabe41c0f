"""Section: what the rule costs that groups stay on nodes."""

from __future__ import annotations

from eplb_opt.deployment import Deployment
from eplb_opt.report.blocks import Block, Section, Table, Text
from eplb_opt.report.data import ReportData
from eplb_opt.report.words import in_percent, percent_at_least, plural


def rules_section(report: ReportData) -> Section:
    """Bound and plan under the hierarchical and under the global policy; one sentence where groups bind nothing."""
    deployment = report.deployment
    if not report.policies:
        blocks: tuple[Block, ...] = (Text(_global_words(deployment)),)
        return Section("rules", "What the node rule costs", blocks)
    kept, anywhere = report.policies["hierarchical"], report.policies["global"]
    floor = max(0.0, kept["least_excess"] - anywhere["excess"])
    table = Table(
        "Hottest GPU above the mean, with the rule and without.",
        ("policy", "best plan found (%)", "proven bound (%)", "gap (%)", "seconds"),
        tuple(
            (
                words,
                in_percent(row["excess"]),
                in_percent(row["least_excess"]),
                f"{100 * row['gap']:.4f}",
                f"{row['seconds']:.1f}",
            )
            for words, row in (("groups stay on a node (hierarchical)", kept), ("any GPU (global)", anywhere))
        ),
    )
    return Section("rules", "What the node rule costs", (Text(_rule_words(deployment)), table, Text(_cost(floor))))


def _rule_words(deployment: Deployment) -> str:
    return (
        f"The model's {plural(deployment.num_groups, 'expert group')} are bound to nodes: each of "
        f"{plural(deployment.num_nodes, 'node')} takes {deployment.groups_per_node}, and all replicas of an expert "
        "stay on the node of its group. This keeps traffic between nodes low, and it limits balance: a node with hot "
        "groups cannot hand load to another node. How much it limits balance is known by planning the same loads "
        "without the rule (policy `global`)."
    )


def _cost(floor: float) -> str:
    if not floor:
        return "The rule costs nothing that is proven here: the plan without it is no better than the bound with it."
    return (
        f"So the rule costs at least {percent_at_least(floor)} of the mean load on the hottest GPU, whatever the plan. "
        "Whether that is more than the traffic between nodes would cost, only a measurement on the machines can tell."
    )


def _global_words(deployment: Deployment) -> str:
    start = "Nothing: any expert can live on any GPU (policy `global`), and groups bind nothing."
    if deployment.policy == "auto" and deployment.num_nodes > 1:
        return (
            f"{start} The {plural(deployment.num_groups, 'group')} do not divide by {deployment.num_nodes} nodes, so "
            "that they cannot be kept on one node each."
        )
    return start
