"""Performance profiles of methods: how many cases each solves how well, and how soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eplb_opt.bench.titles import title_of
from eplb_opt.report.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, legend_label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# The method that all others are held against comes last in a benchmark, and is drawn in the first. As many colours as
# one can tell apart, and one kind of dashes fewer, so that it takes 42 methods until two look alike.
_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, GREY)
_DASHES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1)), ":")
# Gaps below this are drawn at it: nothing that a plan is used for tells them from 0.
_LEAST_GAP = 1e-6


def plot_gap_profile(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Of all cases, how many each method came within a gap of, at the end of its runs.

    `rows` as from ``eplb-opt bench --output``: ``case``, ``method`` and ``gap``, to the best known bound. A case that a
    method has no row of counts as one it came nowhere near to. Draws on `ax`, or where pyplot does.
    """
    widest = max(1.3 * float(rows["gap"].max()), 10 * _LEAST_GAP)
    ax = _draw(rows, "gap", (_LEAST_GAP, widest), ax)
    ticks = [tick for tick in 10.0 ** np.arange(-6, 1) if tick <= widest]
    ax.set_xticks(ticks, ["0.0001 %\nor less", *(f"{100 * tick:g} %" for tick in ticks[1:])])
    ax.set_xlabel("gap of the plan to the best known bound, at the end")
    return ax


def plot_time_profile(rows: pd.DataFrame, gap: float = 0.001, ax: Axes | None = None) -> Axes:
    """Of all cases, how many each method had a plan of within `gap` of the best known bound, over time.

    `rows` as for `plot_gap_profile`, with ``seconds_to_...`` of this gap, infinite where it was never reached, and
    ``seconds``. Draws on `ax`, or where pyplot does.
    """
    column = f"seconds_to_{gap:g}"
    longest = float(rows["seconds"].max())
    first = min(float(rows[column].min()), longest / 10)
    ax = _draw(rows, column, (first / 1.3, longest), ax)
    # Labels of more than three decades with three each would touch.
    steps = (1, 2, 5) if longest < 1000 * first else (1,)
    ticks = [tick * unit for unit in 10.0 ** np.arange(-6, 6) for tick in steps]
    ticks = [tick for tick in ticks if first / 1.3 <= tick <= longest]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xlabel(f"seconds until a plan is within {100 * gap:g} % of the best known bound")
    return ax


def _draw(rows: pd.DataFrame, column: str, span: tuple[float, float], ax: Axes | None) -> Axes:
    """For each method a step up per case, at its value in a column, as a share of all cases; the last method first."""
    from matplotlib.ticker import NullLocator

    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    num_cases = rows["case"].nunique()
    for place, method in enumerate(list(dict.fromkeys(rows["method"]))[::-1]):
        values = np.sort(rows.loc[rows["method"] == method, column].to_numpy(float))
        steps = np.unique([*span, *values[(span[0] <= values) & (values <= span[1])]])
        shares = 100 * np.searchsorted(values, steps, side="right") / num_cases
        colour, dashes = _COLOURS[place % len(_COLOURS)], _DASHES[place % len(_DASHES)]
        label = legend_label(title_of(method))
        (line,) = ax.step(steps, shares, where="post", color=colour, linestyle=dashes, label=label, clip_on=False)
        line.set(linewidth=1.6 if place else 2.5, zorder=2 if place else 3)
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(*span)
    ax.set_ylim(0, 100)
    ax.set_ylabel(f"share of {num_cases} cases (%)")
    ax.grid(alpha=0.25, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax
