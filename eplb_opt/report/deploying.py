"""Section: what to deploy, and how."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from eplb_opt.io.engines import start_line, violations_for
from eplb_opt.io.recognition import ENGINES
from eplb_opt.plan import Plan
from eplb_opt.report.blocks import Block, Commands, Download, Section, Table, Text
from eplb_opt.report.data import ReportData
from eplb_opt.report.verdict import subject_words
from eplb_opt.report.words import percent, plural

# First count of each row; the last row is open.
_COUNTS = (1, 2, 3, 4, 5, 9, 17, 33)
_FILE = "plan.json"


def deploying_section(report: ReportData) -> Section:
    """Slots, redundancy, replica counts, the plan itself, and the engines' start commands."""
    return Section("deploying", "What to deploy, and how", tuple(_blocks(report)))


def _blocks(report: ReportData) -> Iterator[Block]:
    plan = report.plans[report.best]
    deployment = plan.deployment
    redundant = deployment.num_slots - plan.num_experts
    name = subject_words(report, report.best)
    yield Text(
        f"{name[0].upper() + name[1:]} fills {plural(deployment.num_slots, 'slot')} in every "
        f"layer, {deployment.slots_per_gpu} on each of {plural(deployment.num_gpus, 'GPU')}: one for each of "
        f"{plural(plan.num_experts, 'expert')}, and {redundant} redundant ones "
        f"({percent(redundant / plan.num_experts)} more memory for experts)."
    )
    if redundant:
        yield _counts_table(plan)
    yield Download(_FILE, "The plan as a file", _content(plan))
    yield Text(
        f"`{_FILE}` becomes the file of an engine with the first line; the rest is added to the command that "
        f"starts the engine.{_numbering_words(plan)}"
    )
    yield Commands(tuple((engine.title, _lines(name, plan)) for name, engine in ENGINES.items() if name != "native"))


def _content(plan: Plan) -> bytes:
    content = ENGINES["native"].format(plan, _FILE)
    return content.encode() if isinstance(content, str) else content


def _numbering_words(plan: Plan) -> str:
    if plan.numbering == "decoder":
        return ""
    return (
        " The recording counts layers with experts from 0: where an engine counts all decoder layers, add "
        "`--layer-ids`, such as 3-60, to the first line."
    )


def _lines(engine: str, plan: Plan) -> str:
    """How the engine gets the plan, or why it cannot."""
    violations = violations_for(plan, engine)
    if violations:
        return f"# {ENGINES[engine].title} cannot take this plan: {violations[0]}"
    file = f"{engine}{(ENGINES[engine].suffixes or ('.json',))[0]}"
    return f"eplb-opt convert {_FILE} --to {engine} -o {file}\n{start_line(engine, file, plan).script}"


def _counts_table(plan: Plan) -> Table:
    counts = plan.replica_counts
    rows = []
    for first, after in pairwise((*_COUNTS, max(_COUNTS[-1], int(counts.max())) + 1)):
        held = counts[(counts >= first) & (counts < after)]
        if held.size:
            name = f"{first}" if held.max() == first else f"{first} to {held.max()}"
            share = 100 * held.sum() / plan.physical_to_logical.size
            rows.append((name, f"{held.size / plan.num_layers:,.1f}", f"{share:.1f}"))
    layer, expert = np.unravel_index(counts.argmax(), counts.shape)
    return Table(
        f"Replicas at a glance; most has expert {expert} of layer {plan.layer_ids[layer]}: {counts.max()}.",
        ("replicas of an expert", "experts of a layer, mean", "slots they fill (%)"),
        tuple(rows),
    )
