"""Search: what a call of solve searches for, from where and for how long, and what such plans are worth later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from eplb_opt.cli import lists, options, plans
from eplb_opt.cli.methods import named_method
from eplb_opt.cli.progress import status_line
from eplb_opt.cli.verdict import held_out_words
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.held_out import held_out
from eplb_opt.io.content import read_content
from eplb_opt.loads import Loads
from eplb_opt.methods import Method, method_of
from eplb_opt.model import Model
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.request import METHODS
from eplb_opt.solution import Solution
from eplb_opt.solve import solve

# Of the time limit, for plans that are made without one of the windows.
_HELD_OUT_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched for, from where, how and for how long."""

    objective: options.Objective = "auto"
    window_weights: Annotated[str | None, typer.Option(help="What each window counts for, such as 1,1,2.")] = None
    scenarios: Annotated[int, typer.Option(help="Extrapolated windows to plan for as well, such as 30.")] = 0
    method: Annotated[
        str,
        typer.Option(
            help="auto, greedy, search, cpsat, pulp:HiGHS, pulp:COIN_CMD, a heuristic (compare --help), or a function "
            "such as my_rule.py:balance."
        ),
    ] = "auto"
    survive: Annotated[
        int,
        typer.Option(
            help="1: each expert on two GPUs, or two nodes, so that the loss of one loses none; takes two slots each."
        ),
    ] = 0
    warm_start: Annotated[Path | None, typer.Option(help="A plan to start from; the result is never worse.")] = None
    time_limit: Annotated[float, typer.Option(help="Wall-clock seconds, for all layers together.")] = 60.0
    target_gap: Annotated[float, typer.Option(help="A layer with at most this gap is done.")] = 1e-4
    seed: options.Seed = 0
    workers: options.Workers = None
    deterministic: options.Deterministic = False
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out", help="Half of the time limit for what plans are worth on windows that they do not know."
        ),
    ] = False

    @cached_property
    def how(self) -> Method:
        """The method, with the function of its file, which is run once."""
        return named_method(self.method)

    def require(self, loads: Loads, json: bool) -> None:
        """Refuse what --held-out cannot tell, and files that hold no such method, before any work."""
        method_of(self.how, METHODS)
        if self.held_out and loads.num_windows == 1:
            raise InvalidArgumentError("--held-out leaves out a window at a time: give several files, or --windows n")
        if self.held_out and json:
            raise InvalidArgumentError("--json prints the solution alone: leave out --held-out, which backtest tells")

    def start(self, deployment: Deployment, model: Model | None) -> Plan | None:
        """The plan to start from, if one is given."""
        if self.warm_start is None:
            return None
        return plans.PlanSource.on(deployment, read_content(self.warm_start)).plan(model=model)[0]

    def solve(
        self,
        loads: Loads,
        deployment: Deployment,
        start: Plan | None,
        progress: Callable[[Progress], None] | None,
    ) -> Solution:
        """The solution that `eplb_opt.solve` returns for these options."""
        seconds = self.time_limit * (1 - _HELD_OUT_SHARE if self.held_out else 1)
        return solve(loads, deployment, warm_start=start, time_limit=seconds, progress=progress, **self._settings())

    def held_out_words(self, loads: Loads, solution: Solution) -> str:
        """What such plans are worth on a window that they do not know, or how to be told."""
        if not self.held_out:
            return "What such a plan is worth on a recording that it does not know: --held-out."
        if solution.interrupted:
            return "Held out: nothing was scored, as it was interrupted before."
        with status_line() as progress:
            found = held_out(
                loads,
                solution.plan.deployment,
                seconds=self.time_limit * _HELD_OUT_SHARE,
                progress=progress,
                **self._settings() | {"objective": solution.objective},
            )
        return held_out_words(found, loads)

    def _settings(self) -> dict[str, Any]:
        """What the options say to `eplb_opt.solve`, whatever the windows and the time."""
        return {
            "objective": self.objective,
            "window_weights": lists.numbers_of("--window-weights", self.window_weights),
            "scenarios": self.scenarios,
            "method": self.how,
            "survive": self.survive,
            "target_gap": self.target_gap,
            "seed": self.seed,
            "workers": self.workers,
            "deterministic": self.deterministic,
        }
