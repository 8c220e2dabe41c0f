"""Plans of more and more moves: the figure, and which of them is worth its moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eplb_opt.report.colours import BLUE, GREY, ink
from eplb_opt.report.data import rows_of
from eplb_opt.report.sizes import Row
from eplb_opt.report.words import percent, percent_at_most

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def worthwhile(points: pd.DataFrame) -> Row:
    """The plan that is farthest ahead of its part of the moves, with its part of what the most moves gain.

    `points` as `plot_replans` has them. Where none is ahead it is the last.
    """
    rows, start = rows_of(points), _start(points)
    last = rows[-1]
    gain, moves = start["imbalance"] - last["imbalance"], last["moves"] - start["moves"]
    if not (gain > 0 and moves > 0):
        return rows[0] if gain <= 0 else last

    def ahead(row: Row) -> float:
        # Floats of the same worth differ a little.
        return round(float((start["imbalance"] - row["imbalance"]) / gain - (row["moves"] - start["moves"]) / moves), 9)

    return max(reversed(rows), key=ahead)


def worth_words(points: pd.DataFrame) -> str:
    """What the plan that looks worth it brings of what the most moves bring, and what so many moves can bring."""
    row, start, last = worthwhile(points), _start(points), rows_of(points)[-1]
    gain = start["imbalance"] - last["imbalance"]
    if not gain > 0:
        return "No number of moves in this list brings anything."
    if row["moves"] == last["moves"]:
        return f"All of these moves bring about as much as the first: {last['moves']:,} are not too many."
    part, most = ((start["imbalance"] - row[name]) / gain for name in ("imbalance", "bound"))
    counted = f", counted from the plan with {start['moves']:,}" if start["moves"] else ""
    limit = (
        f"no plan with so many brings more than {percent_at_most(most).removeprefix('at most ')}, which is proven"
        if most < 1
        else "it is not proven that so many cannot bring as much"
    )
    return f"{row['moves']:,} moves bring {percent(part)} of what {last['moves']:,} bring{counted}; {limit}."


def plot_replans(points: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Imbalance against moves: plans, the proven bound below them, and the fewest moves to the value of each plan.

    A row per plan with ``moves``, ``imbalance_before``, ``imbalance``, ``bound`` and ``moves_bound``. Lines are steps:
    a plan is one for more moves too, and a bound one for fewer. Draws on `ax`, or where pyplot does.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    start = _start(points)
    rows = rows_of(points)
    rows = rows if start["moves"] == rows[0]["moves"] else [start, *rows]
    moves, values, bounds = ([row[name] for row in rows] for name in ("moves", "imbalance", "bound"))
    ax.plot(moves, values, drawstyle="steps-post", marker="o", color=BLUE, label="plans")
    ax.plot(moves, bounds, drawstyle="steps-pre", linestyle="--", linewidth=1, color=ink(), label="no plan is below")
    fewest = [row["moves_bound"] for row in rows]
    ax.hlines(values, fewest, moves, linestyle=":", linewidth=1, color=GREY)
    ax.plot(fewest, values, linestyle="none", marker="<", color=GREY, label="no plan as cool has fewer moves")
    ax.set_xlabel("moves")
    ax.set_ylabel("max load / mean load")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _start(points: pd.DataFrame) -> Row:
    """What runs, or where that is no plan any more the one with the fewest moves."""
    rows = rows_of(points)
    before = rows[0]["imbalance_before"]
    if before != before:
        return rows[0]
    return {"moves": 0, "imbalance": before, "bound": before, "moves_bound": 0}
