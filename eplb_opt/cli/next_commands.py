"""Next commands: what can be pasted into a shell once a solution is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from eplb_opt.cli import options
from eplb_opt.cli.running import command_line
from eplb_opt.errors import InvalidPlanError
from eplb_opt.files import is_stream
from eplb_opt.full_table import numbered
from eplb_opt.io.engines import violations_for
from eplb_opt.io.recognition import ENGINES
from eplb_opt.io.start import file_word
from eplb_opt.plan import Plan


@dataclass(frozen=True)
class Written:
    """What a call of solve has written, from which recordings; ``None``: not written.

    Attributes
    ----------
    loads, reading, timing
        The recordings, how they were read, and what turns them into milliseconds.
    where
        The options of the deployment.
    objective
        As the option says.
    plan, engine
        The file of the plan, and whose it is.
    solution
        The file of the solution.
    """

    loads: list[Path]
    reading: options.Reading
    timing: options.Timing
    where: options.DeploymentOptions
    objective: str
    plan: Path | None
    engine: str
    solution: Path | None

    def next_commands(self, plan: Plan) -> Iterator[str]:
        """Commands that convert the plan for an engine, unless it is one's already, and that make a report.

        Of GPUs with different numbers of slots there is neither.
        """
        file = self.solution or self.plan
        if file is None or is_stream(file):
            return
        if self.plan is None or self.engine == "native":
            target = _target(plan)
            if target:
                suffix = (ENGINES[target].suffixes or (".json",))[0]
                output = f"{file.with_suffix('').name}.{target}{suffix}"
                yield command_line("convert", _word(file), "--to", target, "-o", file_word(output))
        if plan.deployment.gpu_slots is not None:
            return
        known = () if self.solution or self.engine == "native" else options.given(self._shape(plan))
        objective = () if self.solution or self.objective == "auto" else ("--objective", self.objective)
        recordings = map(_word, self.loads)
        output = f"{file.with_suffix('').name}.html"
        shape = (*options.given(self.reading), *options.given(self.timing), *known, *objective)
        yield command_line("report", *recordings, _word(file), *shape, "-o", file_word(output))

    def _shape(self, plan: Plan) -> options.DeploymentOptions:
        """The deployment of an engine's file, which says neither GPUs nor dispatch."""
        dispatch = plan.deployment.dispatch
        return replace(self.where, slots=None, redundant=None, dispatch=None if dispatch == "even" else dispatch)


def _target(plan: Plan) -> str | None:
    """The first engine that takes the plan with no more said about its layers."""
    return next((name for name in ENGINES if name != "native" and _takes(name, plan)), None)


def _takes(engine: str, plan: Plan) -> bool:
    numbering = ENGINES[engine].numbering
    try:
        if numbering is not None:
            numbered(plan.labels, numbering)
    except InvalidPlanError:
        return False
    return not violations_for(plan, engine)


def _word(path: Path) -> str:
    return file_word(str(path))
