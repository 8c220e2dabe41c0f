"""eplb-opt compare: every heuristic against the proven bound, or by the published score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from eplb_opt.arguments import list_few, one_of
from eplb_opt.cli import deployment_words, options
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.methods import named_methods
from eplb_opt.cli.progress import progress_line
from eplb_opt.cli.table_files import TableFiles
from eplb_opt.cli.tables import gap_cell, records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.compare import EVEN, compare, summarise_comparison
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.heuristics import summaries
from eplb_opt.loads import Loads
from eplb_opt.methods import Method
from eplb_opt.published_scores import published_scores, summarise_scores
from eplb_opt.report.compare import plot_comparison
from eplb_opt.report.words import plural
from eplb_opt.request import objective_of

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS = ("bound", "published")
# Below the help; the first line keeps the others apart.
EPILOG = "\n".join(["\b", "Heuristics:", *(f"  {name:19}{summary}" for name, summary in summaries().items())])
# Of the figure, in inches: a strip for each of all heuristics.
_HEIGHT = 6.5
_FORMATS = {
    "objective": ".6g",
    **dict.fromkeys(("gap", "mean_gap", "worst_gap"), gap_cell),
    **dict.fromkeys(("imbalance", EVEN, "balancedness", "slot_balancedness", "gpu_balancedness"), ".5f"),
    "doubled": ".0f",
    "milliseconds": ",.2f",
    **dict.fromkeys(("speed_20ms", "speed_2ms", "score_20ms", "score_2ms"), ".4f"),
}


@dataclass(frozen=True, kw_only=True)
class _Contest:
    """Which methods are held against which measure."""

    methods: Annotated[
        str | None,
        typer.Option(help="Names below, or functions such as my_rule.py:balance, separated by commas; default: all."),
    ] = None
    protocol: Annotated[
        str,
        typer.Option(help="bound: gaps to the proven bound. published: plan on a window, score on the next."),
    ] = "bound"
    objective: Annotated[str, typer.Option(help="auto, total, mean or worst (protocol bound).")] = "auto"
    effort: options.Effort

    def rows(self, loads: Loads, deployment: Deployment, chosen: Sequence[Method] | None) -> pd.DataFrame:
        """What each method reaches in each layer, as `eplb_opt.compare`, or in each window, as `published_scores`."""
        effort = asdict(self.effort)
        if self.protocol == "published":
            return published_scores(loads, deployment, chosen, **effort)
        with progress_line() as progress:
            return compare(loads, deployment, chosen, objective=self.objective, progress=progress, **effort)


@grouped
def run(
    context: typer.Context,
    loads: options.LoadFiles,
    where: options.DeploymentOptions,
    contest: _Contest,
    outputs: TableFiles,
    reading: options.Reading,
    json: options.Json = False,
) -> int:
    """Hold the published heuristics, and solve, against the bound. Or by the score they are published with."""
    published = one_of("--protocol", contest.protocol, PROTOCOLS) == "published"
    chosen = named_methods(contest.methods)
    instances = Instances.among(loads, context)
    where = instances.complete(where)
    recorded, model = reading.read(loads, where.gpus)
    deployment = where.deployment(recorded.num_experts, model)
    outputs.require([*loads, reading.model_file])
    if published and (outputs.figure is not None or contest.objective != "auto"):
        raise InvalidArgumentError("--figure and --objective are for --protocol bound")
    contest = replace(contest, objective=instances.objective(contest.objective))
    frame = contest.rows(recorded, deployment, chosen)
    table = summarise_scores(frame) if published else summarise_comparison(frame)
    outputs.write(frame, plot_comparison, _HEIGHT)
    if json:
        show_json(records(table))
        return 0
    # That is the mean imbalance less 1, and the table is wide.
    show_table(table.drop(columns=["relative_excess", "error"], errors="ignore"), _FORMATS)
    show("")
    for sentence in dict.fromkeys(table["error"][table["error"] != ""]):
        show(f"no plan: {sentence}")
    if not published:
        loaded = int(recorded.loaded.any(axis=0).sum())
        over = plural(loaded, "layer") + " with load" * (loaded < recorded.num_layers)
        policy = deployment_words.policy_words(deployment)
        show(f"gap: of the sum over {over}; mean_gap, worst_gap: of a layer; policy {policy}")
        if recorded.num_windows > 1:
            windows = plural(recorded.num_windows, "window")
            kind = objective_of(recorded, contest.objective, None, 0, contest.effort.seed).kind
            what = "tokens of all windows summed" if kind == "total" else f"the {kind} imbalance over {windows}"
            show(f"objective: {what}; imbalance and what is behind it: means over windows")
        if deployment.dispatch != "even":
            show(f"all but {EVEN} under dispatch {deployment.dispatch}; {EVEN}: if replicas shared equally")
    else:
        names = [recorded.window_names[window] for window in frame["window"].unique()]
        show("planned on a window, scored on the next, all plans verified")
        show(f"scored on {plural(len(names), 'window')}: {list_few(names)}")
    for line in instances.words(deployment):
        show(line)
    if where.leaves_slots_open:
        show(deployment_words.fewest_words(deployment, recorded.num_experts))
    return 0
