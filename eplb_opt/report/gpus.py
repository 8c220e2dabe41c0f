"""plot_gpu_loads: what each GPU carries under each plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.errors import InvalidArgumentError
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report.colours import colours_of, ink, legend_label
from eplb_opt.report.shares import Floats, gpu_loads, with_load

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points and not a line alone, where they are so few; and a curve of so many points looks like all of them.
_FEW, _MANY = 40, 400


def plot_gpu_loads(
    plans: Plan | Mapping[str, Plan],
    loads: Any,
    layer_id: int | None = None,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Load of GPUs over the mean of their layer, hottest first, a curve for each plan; none in layers without load.

    Parameters
    ----------
    plans
        A plan, or several by name; each has the layers of the loads.
    loads
        As in `eplb_opt.solve`; of several windows the mean of the curves.
    layer_id
        The layer to draw; default: the GPUs of all layers in one curve.
    ax
        Where to draw; default: where pyplot does.
    labels
        Names of plans for people.

    Raises
    ------
    InvalidArgumentError
        The loads have no such layer.
    InvalidPlanError
        A plan lacks a layer of the loads.
    """
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    loads = Loads.of(loads)
    named = {"plan": plans} if isinstance(plans, Plan) else dict(plans)
    colours = colours_of(named)
    # Lines that lie on each other are seen by their widths.
    widths = np.linspace(3.4, 1.6, len(named)) if len(named) > 1 else [1.6]
    for width, (name, plan) in zip(widths, named.items(), strict=True):
        matched = plan.numbered_as(loads.labels).select(loads.layer_ids)
        curve = _curve(gpu_loads(matched, loads), loads, layer_id)
        places = np.arange(1, len(curve) + 1) if layer_id is not None else _shares(len(curve))
        marker = "o" if len(curve) <= _FEW else ""
        label = legend_label((labels or {}).get(name, name))
        ax.plot(places, curve, color=colours[name], linewidth=width, marker=marker, markersize=width + 1.5, label=label)
    ax.axhline(1.0, color=ink(), linewidth=1, linestyle="--", label="mean: all GPUs equal")
    ax.set_xlabel("GPUs of all layers, hottest first (%)" if layer_id is None else "GPU, hottest first")
    ax.set_ylabel("load / mean load of a GPU")
    ax.set_ylim(bottom=0.0)
    ax.margins(x=0.02)
    ticks = MultipleLocator(20) if layer_id is None else MaxNLocator(8, integer=True, min_n_ticks=1)
    ax.xaxis.set_major_locator(ticks)
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _shares(number: int) -> Floats:
    """Per cent of all GPUs up to the middle of each."""
    return 100 * (np.arange(number) + 0.5) / number


def _curve(ratios: Floats, loads: Loads, layer_id: int | None) -> Floats:
    """Decreasing ratios of one layer, or of all layers in one line."""
    if layer_id is not None:
        if layer_id not in loads.layer_ids:
            raise InvalidArgumentError(f"layer_id={layer_id} is not a layer of the loads, which have {loads.labels}")
        row: Floats = ratios[loads.layer_ids.index(layer_id)]
        return row
    ordered = -np.sort(-with_load(ratios).ravel())
    if len(ordered) <= _MANY:
        return ordered
    return np.interp(np.linspace(0, len(ordered) - 1, _MANY), np.arange(len(ordered)), ordered)
