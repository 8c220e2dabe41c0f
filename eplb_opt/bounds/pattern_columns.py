"""Columns of a program that covers replicas by patterns: added as they are found, each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from eplb_opt.kernels.compiler import Bools

Column = tuple[Sequence[int], Sequence[float]]


def add_columns(highs: Any, cost: float, columns: Sequence[Column]) -> None:
    """Add variables from 0 on with the same cost, each with the rows that it is in and its values there."""
    starts = np.cumsum([0] + [len(rows) for rows, _ in columns[:-1]]).astype(np.int32)
    rows = np.array([k for rows, _ in columns for k in rows], dtype=np.int32)
    values = np.array([v for _, values in columns for v in values], dtype=np.float64)
    n = len(columns)
    highs.addCols(n, np.full(n, cost), np.zeros(n), np.full(n, np.inf), rows.size, starts, rows, values)


class PatternColumns:
    """The patterns that a program has: GPUs with so many of each row, at a cost of 1.

    Attributes
    ----------
    patterns
        Rows of each, increasing, one that it has twice two times; in the order of their columns.
    """

    def __init__(self, highs: Any) -> None:
        self._highs = highs
        self._first = highs.getNumCol()
        self._known: set[tuple[int, ...]] = set()
        self.patterns: list[tuple[int, ...]] = []

    def take_up(self, patterns: Iterable[tuple[int, ...]]) -> int:
        """Add what is new; how many that were."""
        new = [pattern for pattern in dict.fromkeys(patterns) if pattern not in self._known]
        self._known.update(new)
        self.patterns += new
        if new:
            counted = [np.unique(pattern, return_counts=True) for pattern in new]
            add_columns(self._highs, 1.0, [(rows.tolist(), c.astype(float).tolist()) for rows, c in counted])
        return len(new)

    def keep(self, kept: Bools) -> None:
        """Drop all others; the basis stays where none of it is dropped."""
        dropped = self._first + np.flatnonzero(~kept)
        self._highs.deleteCols(dropped.size, dropped.astype(np.int32))
        self.patterns = [self.patterns[k] for k in np.flatnonzero(kept).tolist()]
        self._known = set(self.patterns)
