"""Program: the whole model of a layer that fits its dispatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from eplb_opt.formulations.assignment import assignment, num_variables
from eplb_opt.formulations.split import num_split_variables, split_assignment
from eplb_opt.instance import Instance

if TYPE_CHECKING:
    import pulp


class Program(Protocol):
    """A program of one layer of one window, and how to read it."""

    @property
    def problem(self) -> pulp.LpProblem:
        """The PuLP problem, whose variables and data are integers."""

    def bound(self, value: int) -> Fraction:
        """A lower bound on the objective as one on the max load in tokens, if some plan reaches `upper`."""

    def values_of(self, slots: Sequence[int]) -> dict[str, int]:
        """The value of every variable, by name, for one valid row of a plan."""

    def slots_of(self, values: Mapping[str, float]) -> NDArray[np.int64]:
        """The row of slots that variable values stand for."""


def program_of(instance: Instance, *, upper: Fraction, lower: Fraction, largest_row_sum: int) -> Program:
    """The program of a layer whose best known plan is `upper` and whose best bound is `lower`, in tokens.

    Of the even split and of the optimal one, see `eplb_opt.backends.available.PROGRAMMED`.
    """
    build = split_assignment if instance.deployment.dispatch == "optimal" else assignment
    return build(instance, upper=upper, lower=lower, largest_row_sum=largest_row_sum)


def program_size(instance: Instance, upper: Fraction) -> int:
    """Variables of the program without building it: whether a solver can do anything with it."""
    if instance.deployment.dispatch == "optimal":
        return num_split_variables(instance)
    return num_variables(instance, upper)
