"""A step of a layer, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eplb_opt.improvement import Improvement, Slots

# Kinds of steps beside the methods that prove: `eplb_opt.backends.outcome`, `eplb_opt.bounds.prove`.
START, SEARCH = "start", "search"
# What a step of search does where it reassigns slots.
REPARTITION = "repartition"


@dataclass(frozen=True, eq=False)
class StepResult:
    """What a step found.

    Attributes
    ----------
    name
        Of what was done, by which its seconds are counted: a kind of step, or what a step of search does.
    improvements
        In order; their seconds count since the step began.
    seconds
        Time the step took.
    complete
        There is nothing more to expect of the like: it is done, or it failed.
    last
        Where a random walk stands at the end of the step.
    """

    name: str
    improvements: tuple[Improvement, ...]
    seconds: float
    complete: bool = False
    last: Slots | None = None


@dataclass(frozen=True)
class Step:
    """A piece of work on a layer, for any executor: `function` of `arguments`, and the seconds of work it counts for.

    The function depends on its arguments alone, which can be pickled: a step that is lost is run again.
    """

    kind: str
    function: Callable[..., StepResult]
    arguments: tuple[object, ...]
    work: float
