"""The verdict: what a report comes to, in a few sentences and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eplb_opt.compare import SOLVE
from eplb_opt.deployment import Deployment
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.loads import Loads
from eplb_opt.proof import Proof
from eplb_opt.report.blocks import Figure, Tile
from eplb_opt.report.colours import GREEDY, OLD, TRIVIAL, colours_of
from eplb_opt.report.data import ReportData
from eplb_opt.report.figures import figures_of
from eplb_opt.report.replans import worth_words
from eplb_opt.report.words import percent, percent_at_least, percent_at_most, plural, value_and_bound

NOTHING = "Nothing was recorded: every load is zero, so that every plan is as good as every other."
# The hierarchy is worth a sentence where it costs more than this part of the mean load.
_NOTABLE = 0.001


@dataclass(frozen=True)
class Verdict:
    """What changes, in figures and in sentences; the plans in numbers, and what these are numbers of."""

    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    tiles: tuple[Tile, ...]
    measure: str


def verdict_of(report: ReportData) -> Verdict:
    """The verdict on the report's subject."""
    if not report.has_load:
        return Verdict((NOTHING,), (), (), "")
    measure = measure_words(report.loads, report.solution.objective, report.deployment)
    return Verdict(tuple(_sentences(report)), figures_of(report), tuple(_tiles(report)), measure)


def subject_words(report: ReportData, name: str | None = None) -> str:
    """How a plan is called within a sentence; default: the subject."""
    name = report.subject if name is None else name
    if name == SOLVE:
        return "this plan" if report.subject == SOLVE else "the plan that eplb_opt found"
    if name == OLD:
        return "the old plan"
    return f"`{name}`"


def _sentences(report: ReportData) -> list[str]:
    subject = report.subject
    value, bound = _value_and_bound(report, subject)
    if _excess(report, TRIVIAL) == value == "0 %":
        return ["Even with experts placed in order every GPU carries the same load: there is nothing to balance."]
    gap = report.figures[subject]["gap"]
    before = _excess(report, GREEDY)
    sentences = [
        f"With the engine's own policy under the same rules the hottest GPU carries {before} more load than the mean. "
        f"With {subject_words(report)} it carries {value} more{', too' if before == value else ''}.",
        bound_sentence(percent_at_most(gap) if gap else "", bound, report.solution.layers),
    ]
    if report.best != subject:
        better, _ = _value_and_bound(report, report.best)
        sentences += [f"Better is {subject_words(report, report.best)}: {better}."] * (better != value)
    further = (_unseen_sentence(report), _moves_sentence(report), _price(report))
    return sentences + [sentence for sentence in further if sentence]


def bound_sentence(gap: str, bound: str, layers: Sequence[LayerSolution]) -> str:
    """What is proven of a plan with this gap to the bound of all layers, both in words; no gap where it is optimal."""
    word = word_of_solvers([layer.proof for layer in layers])
    if not gap:
        return f"No plan can do better: this one is optimal, which is proven{word}."
    least = "perfect balance, 0 %," if bound == "0 %" else f"{bound},"
    return f"No plan can do better than {least} which is proven{word}: {gap} of the hottest GPU's load is left to gain."


def word_of_solvers(proofs: Sequence[Proof]) -> str:
    """What a proof rests on where it is not exact arithmetic in every layer."""
    told = [proof.by or "a solver" for proof in proofs if not proof.checked]
    who = " or ".join(sorted(set(told)))
    return f" (in {len(told)} of {plural(len(proofs), 'layer')} by the word of {who})" if told else ""


def _unseen_sentence(report: ReportData) -> str:
    """What the plans do on recordings that they were not made from, where that is known."""
    seen = report.held_out.together
    if not seen:
        return ""
    return (
        f"On a recording that was left out of the planning the engine's own policy has {percent(seen[GREEDY])}, and "
        f"eplb_opt {percent(seen[SOLVE])}."
    )


def _moves_sentence(report: ReportData) -> str:
    """Which part of the moves is worth it, where the plan that runs is known."""
    return "" if report.curve is None else f"From the old plan {worth_words(report.curve.points)}"


def _price(report: ReportData) -> str:
    """What keeping groups on a node costs, if it is notable."""
    anywhere = report.changes.get("policy")
    if not report.deployment.hierarchical or anywhere is None or anywhere["least_gain"] < _NOTABLE:
        return ""
    return (
        "The rule that each group of experts stays on one node costs at least "
        f"{percent_at_least(anywhere['least_gain'])} of the mean load on the hottest GPU, and "
        f"{percent_at_most(anywhere['most_gain'])}; both are proven."
    )


def _tiles(report: ReportData) -> list[Tile]:
    subject, colours = report.subject, colours_of(report.plans)
    value, bound = _value_and_bound(report, subject)
    title = "This plan" if subject == SOLVE else report.labels[subject]
    tiles = [
        Tile("Engine's own policy", _excess(report, GREEDY), "DeepSeek's EPLB", colours[GREEDY]),
        Tile(title, value, _gap_words(report, subject), colours[subject]),
    ]
    if report.best != subject:
        better, bound = _value_and_bound(report, report.best)
        title = f"Found by {report.labels[report.best]}"
        tiles.append(Tile(title, better, _gap_words(report, report.best), colours[report.best]))
    tiles.append(Tile("Proven bound", bound, "no plan is below", "currentColor"))
    tiles.append(Tile("Experts in order", _excess(report, TRIVIAL), "without EPLB", colours[TRIVIAL]))
    return tiles


def _excess(report: ReportData, plan: str) -> str:
    return percent(report.figures[plan]["excess"])


def _gap_words(report: ReportData, plan: str) -> str:
    gap = report.figures[plan]["gap"]
    return f"gap to the bound: {percent(gap)}" if gap else "optimal"


def _value_and_bound(report: ReportData, plan: str) -> tuple[str, str]:
    return value_and_bound(report.figures[plan]["excess"], report.figures[plan]["least_excess"])


def measure_words(loads: Loads, objective: str, deployment: Deployment) -> str:
    """What the numbers of a verdict on a plan for these loads measure."""
    layers = f"{plural(loads.num_layers, 'layer')}{' together' if loads.num_layers > 1 else ''}"
    over = {"total": "", "mean": ", mean over windows", "worst": ", in the worst window"}[objective]
    if loads.num_windows > 1 and objective == "total":
        over = f", {loads.num_windows} windows summed"
    under = "" if deployment.dispatch == "even" else f", dispatch {deployment.dispatch}"
    unit = "tokens" if deployment.gpu_speeds is None else "tokens / speed"
    return f"Load of the hottest GPU above the mean GPU, in {unit}; {layers}{over}{under}."
