"""First calls of the kernels that a call needs, before its clock starts, and that a proof needs, before its own.

Kernels come in parts, so that a call waits for those alone that its layers can need. Where they have to be compiled,
another process compiles some of the parts and stores them (`eplb_opt.run.compiling`). A worker process has those that
prove alone, while the search goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import cache
from time import monotonic

from eplb_opt.bounds.pair_model import may_have_many_counts
from eplb_opt.bounds.pattern_enumeration import few_choices
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.registry import GIVEN, JOINT, names
from eplb_opt.heuristics.wide_windows import WIDE_WINDOW_SIZES
from eplb_opt.kernels.loading import announced, compiling
from eplb_opt.kernels.wide_reassignment import WIDE_SIZE
from eplb_opt.request import DRAWN
from eplb_opt.run.compiling import compiled_beside, end_with_the_parent
from eplb_opt.run.parts import PARTS, SECONDS

logger = logging.getLogger(__name__)

# Until the process that compiles beside this one has begun.
_SECONDS_TO_START = 1


def load_kernels(parts: Collection[str] | None = None) -> float:
    """Compile kernels, or load them where that was done on this machine before; the seconds it took.

    `parts` are keys of `PARTS`; by default all of them.
    """
    begin = monotonic()
    wanted = [part for part in PARTS if parts is None or part in parts]
    ours, others = shared_out(wanted)
    with compiled_beside(others) as wait:
        for part in ours:
            PARTS[part]()
        wait()
        # Stored by now, unless nothing can be.
        for part in others:
            PARTS[part]()
    seconds = monotonic() - begin
    logger.info("kernels loaded in %.1f s", seconds)
    return seconds


def shared_out(parts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Parts for this process, and for the one beside it: those that take longest first, to whichever is done sooner."""
    ours: list[str] = []
    others: list[str] = []
    until, until_there = 0, _SECONDS_TO_START
    for part in sorted(parts, key=lambda part: -SECONDS[part]):
        if until <= until_there:
            ours.append(part)
            until += SECONDS[part]
        else:
            others.append(part)
            until_there += SECONDS[part]
    return ours, others


def parts_for(deployment: Deployment, num_experts: int, several_windows: bool, method: str) -> list[str]:
    """The parts that a call needs for layers of `num_experts`, whatever their loads, but for those of `proof_parts`."""
    parts = {"bounds", "greedy"}
    if method == GIVEN:
        return [part for part in PARTS if part in parts]
    if not deployment.alike:
        parts |= {"dispatched"} if method in ("auto", "search") else set()
        return [part for part in PARTS if part in parts]
    # What finds good plans for the even split does so for the optimal one.
    if deployment.dispatch not in ("even", "optimal") and method != "greedy" and method not in names():
        parts |= {"dispatched", "singles of windows", "joint"} if several_windows else {"dispatched", "singles"}
        if deployment.dispatch == DRAWN:
            parts |= {"draws of windows" if several_windows else "draws"}
        return [part for part in PARTS if part in parts]
    size = deployment.slots_per_gpu
    if method != "greedy":
        parts |= {"search", "registry"}
    if method != "greedy" and method not in names():
        if size == 2:
            parts |= {"pairs"}
        parts |= {"wide reassignment"} if size == WIDE_SIZE else {"reassignment"}
        if size > 2 and not several_windows:
            parts |= {"levelling"}
        if several_windows:
            parts |= {"windows", "wide windows"} if size in WIDE_WINDOW_SIZES else {"windows"}
    if several_windows or method == JOINT:
        parts |= {"joint"}
    elif deployment.dispatch == "optimal":
        parts |= {"links"}
    return [part for part in PARTS if part in parts]


def proof_parts(deployment: Deployment, num_experts: int) -> list[str]:
    """The parts that only the worker processes need which prove layers of `num_experts`."""
    # A node has the experts of its groups alone.
    experts, slots = num_experts // deployment.binding_nodes, deployment.num_slots // deployment.binding_nodes
    few = few_choices(experts, deployment.slots_per_gpu)
    parts = ["patterns", "fillings"] if few else ["patterns"]
    many = deployment.slots_per_gpu == 2 and may_have_many_counts(experts, slots)
    return [*parts, "pair counts"] if many else parts


def seconds_of_loading(parts: Collection[str]) -> float:
    """Load what a call runs, or compile it and say so; the seconds that took if anything was compiled, else 0."""
    with announced() as compiling_:
        seconds = load_kernels(parts)
    return seconds if compiling_.kernels else 0.0


@cache
def load_part(part: str) -> None:
    """Compile a part, or load it, once in this process."""
    PARTS[part]()


def compile_parts(parts: Sequence[str]) -> None:
    """What a process does that `compiled_beside` started: compile and store; it ends early where nothing is stored."""
    end_with_the_parent()
    with compiling(lambda _how_often: None) as block:
        for part in parts:
            if block.stored:
                PARTS[part]()
