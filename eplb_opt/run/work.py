"""Work: what a worker process does with a task, a proof method or the whole model as one program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic

import numpy as np

from eplb_opt.backends.by_method import solve_program
from eplb_opt.bounds.pattern_enumeration import filling_evidence
from eplb_opt.bounds.prove import PROVERS
from eplb_opt.bounds.search_evidence import search_evidence
from eplb_opt.errors import SolverError
from eplb_opt.formulations.program import program_of, program_size
from eplb_opt.formulations.scaling import largest_row_sum
from eplb_opt.improvement import Improvement
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import Limits, Meter
from eplb_opt.proof import Proof
from eplb_opt.run.task import Emit, ProofTask

# Above this PuLP needs gigabytes before a solver sees the program, and no solver gains anything on it.
MAX_VARIABLES = 1_000_000
# For evidence of a bound that closes a layer on the word of a solver.
_CERTIFYING = Limits(10.0)


def run_task(task: ProofTask, emit: Emit) -> bool:
    """Do what the task names, emitting better plans and bounds as they come; whether it came to its end.

    Where a bound that closes a layer would rest on somebody's word, searches that can be checked are tried too.

    Raises
    ------
    InvalidArgumentError, MissingPackageError, SolverError
        An unknown method, a solver that is not installed, or one that failed.
    """
    incumbent = Incumbent(task.instance, task.objective, target_gap=task.target_gap)
    incumbent.offer_plan(np.array(task.slots), "warm start")
    incumbent.offer_proof(task.proof)

    def tell(improvement: Improvement) -> None:
        # The word comes first: it stays if time is over before the search is.
        emit(improvement if improvement.slots is None else replace(improvement, by=task.method))
        # What a certificate can say of a search is about the even split, and GPUs that are alike.
        even = task.instance.deployment.dispatch == "even" and task.instance.deployment.alike
        if even and incumbent.proof.certified is None and incumbent.bound == incumbent.value:
            evidence = search_evidence(task.instance, incumbent.value, task.objective)
            if evidence is None:
                evidence = filling_evidence(task.instance, incumbent.value, Meter(_CERTIFYING))
            if evidence is not None:
                incumbent.offer_proof(Proof(evidence["argument"], incumbent.value, checked=True, evidence=evidence))

    incumbent.tell = tell
    if task.method in PROVERS:
        PROVERS[task.method](incumbent, Meter(task.limits))
        return incumbent.closed
    return _run_program(task, incumbent)


def _run_program(task: ProofTask, incumbent: Incumbent) -> bool:
    """Solve the task's program, offering better plans and bounds; whether the solver came to its end."""
    deadline = monotonic() + task.limits.seconds
    size = program_size(task.instance, incumbent.value)
    if size > MAX_VARIABLES:
        raise SolverError(f"the program has {size} variables, more than {MAX_VARIABLES}; use method='auto'")
    row_sum = largest_row_sum(task.method)
    program = program_of(task.instance, upper=incumbent.value, lower=incumbent.bound, largest_row_sum=row_sum)
    limits = replace(task.limits, seconds=max(0.0, deadline - monotonic()))

    def report(values: Mapping[str, float] | None, bound: int | None) -> None:
        if values is not None:
            incumbent.offer_plan(program.slots_of(values), task.method)
        if bound is not None:
            incumbent.prove("program", program.bound(bound), by=task.method)

    outcome = solve_program(task.method, program.problem, program.values_of(task.slots), limits, report)
    report(outcome.values, outcome.bound)
    if outcome.verdict == "infeasible":
        incumbent.remark(f"{task.method}: it calls a program infeasible that has a plan")
    return outcome.verdict != "stopped"
