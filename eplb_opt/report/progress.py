"""plot_progress: plans and bounds over the time of a solution."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from eplb_opt.report.colours import BLUE, ink
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In per cent: between it and its negative the scale is linear.
_LINEAR = 0.01
_TICKS = (0, 0.01, 0.1, 1, 10, 100, 1000)


def plot_progress(solution: Solution, ax: Axes | None = None) -> Axes:
    """Best plan and best bound over time, layers summed, by how much they are above or below the final bound.

    Layers without load are left out. Begins when every other one has a plan. `solution.layers` hold the traces; draws
    on `ax`, or where pyplot does. Without a trace, or without load, the figure has no curves.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    points = steps_of(solution)
    if points:
        seconds = [point[0] for point in points] + [max(solution.runtime, points[-1][0])]
        above = [point[1] for point in points] + [points[-1][1]]
        below = [point[2] for point in points] + [points[-1][2]]
        ax.fill_between(seconds, below, above, step="post", color=BLUE, alpha=0.2, linewidth=0, label="what is open")
        ax.step(seconds, above, where="post", color=BLUE, linewidth=2, label="best plan")
        ax.step(seconds, below, where="post", color=ink(), linewidth=1.5, label="proven bound")
        _set_scale(ax, max(map(abs, (*above, *below))), seconds)
        ax.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    ax.set_xlabel("time (s)")
    ax.set_ylabel("above (+) or below (-)\nthe final bound (%)")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def steps_of(solution: Solution) -> list[tuple[float, float, float]]:
    """(seconds, objective, lower bound) after each event, summed over layers with load, in per cent of the final bound.

    Empty where such a layer has no trace, or no layer has load.
    """
    layers = [layer for layer in solution.layers if layer.mean_load]
    final = float(sum((layer.lower_bound for layer in layers), Fraction(0)))
    if not final or not all(layer.trace for layer in layers):
        return []
    events = [(point.seconds, row, point) for row, layer in enumerate(layers) for point in layer.trace]
    values: dict[int, tuple[float, float]] = {}
    steps = []
    for seconds, row, point in sorted(events, key=lambda event: event[0]):
        values[row] = (float(point.objective), float(point.lower_bound))
        if len(values) == len(layers):
            above, below = (100 * (sum(column) / final - 1) for column in zip(*values.values(), strict=True))
            steps.append((seconds, above, below))
    return steps


def _set_scale(ax: Axes, largest: float, seconds: list[float]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    ax.set_yscale("symlog", linthresh=_LINEAR, linscale=0.5)
    ticks = [tick for tick in _TICKS if tick <= max(largest, _LINEAR)]
    both = [-tick for tick in ticks[:0:-1]] + ticks
    low, high = ax.get_ylim()
    shown = [tick for tick in both if low <= tick <= high]
    ax.set_yticks(shown, [f"{tick:+g}" if tick else "0" for tick in shown])
    ax.set_ylim(low, high)
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", alpha=0.25, linewidth=0.6)
    if seconds[0] > 0 and seconds[-1] > 10 * seconds[0]:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.set_minor_locator(NullLocator())
