"""Sections: the proof of each number, how the numbers were made, and the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eplb_opt.proof import named
from eplb_opt.report.blocks import Block, Commands, Items, Picture, Section, Table, Text
from eplb_opt.report.data import ReportData, rows_of
from eplb_opt.report.progress import plot_progress, steps_of
from eplb_opt.report.words import percent, plural

# By `eplb_opt.proof.Proof.argument`.
ARGUMENTS = {
    "mean": "GPU loads sum to the total load, so that the hottest GPU carries at least the mean",
    "nodes": "a node carries the whole load of its groups, and some node has to take hot ones",
    "adams": "some slot carries at least so much, however the replicas are counted",
    "few slots": "GPUs with few slots hold few experts, and the others carry the rest",
    "slack": "below it the experts would need more replicas than there are slots",
    "weighting": "slot loads can be weighed so that the slots of any counts outweigh all GPUs",
    "weightings": "the same, with weights of their own for parts of the counts",
    "pairing": "no counts let all slots be paired below it",
    "partition": "no partition of the groups among the nodes allows less",
    "fillings": "no GPUs, each filled in one of all the ways that fit, hold all replicas",
    "search": "every way to place the slots was tried",
    "program": "a solver closed the whole model",
    "windows": "each window by itself allows no less",
    "window partition": "no one partition of the groups serves all windows better",
    "envelope": "no plan is cooler in all windows than the best is in their envelope",
    "window weightings": "replicas can be weighed so that all outweigh what GPUs carry in all windows at once",
    "none": "without load there is nothing to prove",
}

WORDS = (
    ("expert", "one of the parallel parts of a Mixture-of-Experts layer; every token goes to a few of them"),
    ("replica", "a copy of an expert, which serves a part of its load: an equal one, unless this page says otherwise"),
    ("move", "a replica to copy: an expert on a GPU that did not hold it before"),
    ("slot", "a place for one replica on a GPU; redundant slots are those beyond one for each expert"),
    ("plan", "which expert is in which slot, for every layer"),
    ("load", "tokens that an expert, a GPU or a layer has to process; not a measured time"),
    ("max load, mean load", "load of the hottest GPU; total load over the number of GPUs"),
    ("lower bound", "proven: no plan whatsoever has a smaller max load under the same rules"),
    ("gap", "(max load - lower bound) / max load: what the plan could still be better by, at most"),
    ("window", "a span of time, or one workload, of the recording; of several files, each is one"),
    ("group, node", "experts that the model routes to together; machines with several GPUs"),
)


def proofs_section(report: ReportData) -> Section:
    """Objective, bound, gap and argument of every layer, and how they came about."""
    return Section("proofs", "The proof of each number", tuple(_proofs(report)))


def _proofs(report: ReportData) -> Iterator[Block]:
    solution = report.solution
    yield Text(
        "All values and bounds are exact fractions, of which the tables show decimals. "
        f"{_checked_words([layer.proof.checked for layer in solution.layers])} "
        f"{_optimal_words([layer.status == 'optimal' for layer in solution.layers])} "
        f"The worst gap of a layer is {percent(float(solution.worst_gap))}."
    )
    yield _arguments_table(report)
    if steps_of(solution):
        yield Picture(
            "How plan and bound closed in on each other, all layers together, from when every layer had a plan. "
            "Mind the scale: each line is ten times as far from the final bound as the one before.",
            f"Best plan and proven bound over {solution.runtime:.1f} seconds; at the end the gap is "
            f"{percent(float(solution.gap))}.",
            lambda ax: plot_progress(solution, ax),
            height=3.0,
        )
    yield _proofs_table(report)


def _checked_words(checked: list[bool]) -> str:
    if all(checked):
        return "Every bound was derived in exact arithmetic."
    return (
        f"The bounds of {sum(checked)} of {len(checked)} layers were derived in exact arithmetic; the others rest on "
        "the word of a solver or of a search."
    )


def _optimal_words(optimal: list[bool]) -> str:
    if all(optimal):
        return "In every layer plan and bound are the same number: the plan is optimal."
    layers = plural(sum(optimal), "layer") if any(optimal) else "no layer"
    return f"Plan and bound are the same number, so that the plan is optimal, in {layers}."


def _arguments_table(report: ReportData) -> Table:
    layers_of = Counter((layer.proof.argument, layer.proof.named) for layer in report.solution.layers)
    return Table(
        "What the bounds rest on.",
        ("argument", "what it says", "layers"),
        tuple((words, ARGUMENTS.get(name, "-"), str(layers)) for (name, words), layers in layers_of.items()),
        names=2,
        cards=True,
    )


def _proofs_table(report: ReportData) -> Table:
    total = report.solution.objective == "total"
    digits = ",.1f" if total else ".6f"
    rows = tuple(
        (
            str(layer_id),
            row["status"] + (f" ({row['stopped_by']})" if row["stopped_by"] else ""),
            named(row["proof"], row["by"]),
            "yes" if row["checked"] else "no",
            f"{row['objective']:{digits}}",
            f"{row['lower_bound']:{digits}}",
            f"{100 * row['gap']:.4f}",
            f"{row['runtime']:.2f}",
        )
        for layer_id, row in zip(report.loads.layer_ids, rows_of(report.solution.to_frame()), strict=True)
    )
    unit = "max load in tokens" if total else f"{report.solution.objective} imbalance over windows"
    return Table(
        f"Every layer of the plan by eplb_opt; the objective is the {unit}. In brackets, why the search ended: "
        "gap (small enough), time, stalled (nothing more to try), interrupt.",
        ("layer", "status", "argument", "checked exactly", "objective", "lower bound", "gap (%)", "seconds"),
        rows,
        names=4,
        long=True,
    )


def making_section(report: ReportData) -> Section:
    """Versions, settings and the command."""
    facts = dict(report.facts)
    command = facts.pop("command", "")
    blocks: list[Block] = [
        Table("Versions and settings.", ("what", "value"), tuple(facts.items()), names=2, cards=True),
    ]
    if command:
        blocks.append(Commands((("Command", command),)))
    blocks.append(Text("Time limits are of the clock: another machine may find another plan of similar worth."))
    return Section("making", "How the numbers were made", tuple(blocks))


def words_section() -> Section:
    """The words of this page."""
    return Section("words", "Words", (Items(WORDS),))
