"""Instances of a library: their stored solutions checked again, and which of them have a program."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.certify import Certified, certify
from eplb_opt.formulations.assignment import num_variables
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.instance import Instance
from eplb_opt.named_instance import NamedInstance
from eplb_opt.solution import Solution
from eplb_opt.verify import max_loads

# Larger programs make larger files than anybody reads.
_MOST_VARIABLES = 400


def checked(named: NamedInstance, solution: Solution) -> Certified:
    """Plan, value and bound of a solution of an instance, looked at again without a solver."""
    (certified,) = certify(solution, named.loads)
    return certified


def has_program(named: NamedInstance) -> bool:
    """Whether the whole model is written as a file: of one window, and small."""
    return named.objective == "total" and variables_of(named) <= _MOST_VARIABLES


def variables_of(named: NamedInstance) -> int:
    """Number of variables of the whole model as one program."""
    return num_variables(named.instance, greedy_value(named.instance))


def greedy_value(instance: Instance) -> Fraction:
    """Max load of the greedy plan."""
    return max_loads(greedy(instance).tolist(), instance)[0]
