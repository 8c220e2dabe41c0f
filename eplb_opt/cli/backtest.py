"""eplb-opt backtest: what plans are worth on windows that they were not made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eplb_opt.arguments import list_few
from eplb_opt.backtest import SCENARIOS, SPLITS, STRATEGIES, backtest, summarise_backtest
from eplb_opt.cli import deployment_words, lists, options
from eplb_opt.cli.instances import Instances
from eplb_opt.cli.methods import named_methods
from eplb_opt.cli.outputs import CSV, FIGURE, require_outputs
from eplb_opt.cli.pictures import picture
from eplb_opt.cli.progress import status_line
from eplb_opt.cli.tables import records, show, show_json, show_table
from eplb_opt.cli.unfolding import grouped
from eplb_opt.deployment import Deployment
from eplb_opt.files import write_whole
from eplb_opt.loads import Loads
from eplb_opt.methods import Method
from eplb_opt.report.words import plural

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = dict.fromkeys(("balancedness", "worst", "lost", "by_forecast", "by_heuristic"), ".4f")


@dataclass(frozen=True, kw_only=True)
class _Effort(options.Effort):
    """What each strategy may spend."""

    time_limit: Annotated[float, typer.Option(help="Core seconds for each layer of a plan that is searched.")] = 0.2
    scenarios: Annotated[int, typer.Option(help="Extrapolated windows of the strategies of that name.")] = SCENARIOS


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """Which windows are planned on, by which strategies."""

    split: Annotated[str, typer.Option(help=f"{' or '.join(SPLITS)}.")] = "rolling"
    strategies: Annotated[str | None, typer.Option(help=f"Of {', '.join(STRATEGIES)}; default: all.")] = None
    methods: Annotated[
        str | None,
        typer.Option(
            help="Planners besides, with each of these forecasts: heuristics, functions (my_rule.py:balance)."
        ),
    ] = None
    effort: _Effort

    def scores(self, loads: Loads, deployment: Deployment, methods: Sequence[Method]) -> pd.DataFrame:
        """What each strategy's plans are worth, as `eplb_opt.backtest` returns it."""
        with status_line() as progress:
            return backtest(
                loads,
                deployment,
                lists.names_of(self.strategies),
                methods=methods,
                split=self.split,
                progress=progress,
                **asdict(self.effort),
            )


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Where results go; ``None``: nowhere."""

    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where all scores go, as CSV.")] = None
    figure: Annotated[Path | None, typer.Option(help="Where a figure goes: .png, .svg or .pdf.")] = None

    def require(self, inputs: list[Path]) -> None:
        """Refuse what cannot be written, before any work."""
        require_outputs({"--output": (self.output, CSV), "--figure": (self.figure, FIGURE)}, inputs)

    def write(self, scores: pd.DataFrame) -> None:
        """Write what the options name."""
        if self.output is not None:
            write_whole(self.output, scores.to_csv(index=False))
        if self.figure is not None:
            # Matplotlib loads here and not with the command line.
            from eplb_opt.report.backtest import plot_backtest

            write_whole(self.figure, picture(self.figure, lambda ax: plot_backtest(scores, ax)))


@grouped
def run(
    context: typer.Context,
    loads: options.LoadFiles,
    where: options.DeploymentOptions,
    trial: _Trial,
    outputs: _Outputs,
    reading: options.Reading,
    json: options.Json = False,
) -> int:
    """Plan on some windows, score on others. Tells what is lost to the forecast, and what to the heuristic."""
    methods = named_methods(trial.methods) or []
    where = Instances.among(loads, context).complete(where)
    recorded, model = reading.read(loads, where.gpus)
    deployment = where.deployment(recorded.num_experts, model)
    outputs.require(loads)
    scores = trial.scores(recorded, deployment, methods)
    if scores.empty and json:
        show_json([])
        return 0
    if scores.empty:
        show("nothing was scored: interrupted before the first window was done, or no layer has load in a scored one")
        return 0
    table = summarise_backtest(scores)
    outputs.write(scores)
    if json:
        show_json(records(table))
        return 0
    show_table(table.drop(columns=["forecast", "planner", "error"]), _FORMATS)
    show("")
    for sentence in dict.fromkeys(table["error"][table["error"] != ""]):
        show(f"no plan: {sentence}")
    names = [recorded.window_names[window] for window in scores["window"].unique()]
    show(f"balancedness (mean / max load) over {plural(scores['layer_id'].nunique(), 'layer')}, {trial.split}")
    show(f"scored on {plural(len(names), 'window')}: {list_few(names)}")
    if where.leaves_slots_open:
        show(deployment_words.fewest_words(deployment, recorded.num_experts))
    return 0
