"""What rows of all programs are made of: variables by letter and key, and sums of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pulp

# Its name and what holds.
Row = tuple[str, "pulp.LpConstraint"]


def sum_of(terms: Any) -> Any:
    """The expression of (variable, coefficient)."""
    import pulp

    return pulp.LpAffineExpression(list(terms))


def integer(pulp: Any, letter: str, key: tuple[int, ...], most: int) -> Any:
    """A variable from 0 to `most`, named by its letter and key."""
    return pulp.LpVariable("_".join([letter, *map(str, key)]), lowBound=0, upBound=most, cat="Integer")
