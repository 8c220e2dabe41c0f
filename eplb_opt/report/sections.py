"""All sections of a report, in order."""

from __future__ import annotations

from textwrap import shorten

from eplb_opt.layers import describe_ids
from eplb_opt.report.blocks import Section
from eplb_opt.report.data import ReportData
from eplb_opt.report.deciding import deciding_section
from eplb_opt.report.deploying import deploying_section
from eplb_opt.report.moving import moving_section
from eplb_opt.report.plans import gpus_section, plans_section
from eplb_opt.report.proofs import making_section, proofs_section, words_section
from eplb_opt.report.recording import recording_section
from eplb_opt.report.rules import rules_section
from eplb_opt.report.unseen import unseen_section
from eplb_opt.report.words import plural

# Characters of the source in the line below the title.
_LONGEST = 80
TITLE = "Expert placement report"


def sections_of(report: ReportData) -> tuple[Section, ...]:
    """What the report says below the verdict; without load there is nothing to compare."""
    compared = (plans_section, unseen_section, rules_section, gpus_section, deciding_section) if report.has_load else ()
    moving = moving_section(report)
    return (
        recording_section(report),
        *(section(report) for section in compared),
        *(() if moving is None else (moving,)),
        deploying_section(report),
        proofs_section(report),
        making_section(report),
        words_section(),
    )


def subtitle_of(report: ReportData) -> str:
    """What the report is about, in one line."""
    loads, deployment = report.loads, report.deployment
    ids = f" ({describe_ids(loads.layer_ids)})" if loads.num_layers > 1 else ""
    source = f"{shorten(loads.source, _LONGEST, placeholder=' ...')}: " if loads.source else ""
    nodes = f", {deployment.num_nodes} nodes" if deployment.num_nodes > 1 else ""
    return (
        f"{source}{plural(loads.num_layers, 'layer')}{ids} of {plural(loads.num_experts, 'expert')} on "
        f"{plural(deployment.num_gpus, 'GPU')}{nodes}, {plural(deployment.num_slots, 'slot')} per layer"
    )
