"""Rows: what is known of deployments, in the units in which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import compress, groupby
from math import nan
from typing import Any

from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.layer_solution import relative_gap
from eplb_opt.loads import Loads
from eplb_opt.memory import expert_gib_per_gpu, kv_tokens
from eplb_opt.model import Model
from eplb_opt.request import DRAWN
from eplb_opt.sizing.budgets import fewest_slots, least_sums
from eplb_opt.sizing.points import Point
from eplb_opt.step import Step
from eplb_opt.step_times import least_milliseconds, plan_milliseconds

Curve = list[Fraction]


def rows_of(
    loads: Loads, points: Sequence[Point], model: Model | None, step: Step | None, least_gain: float
) -> list[dict[str, Any]]:
    """A row per deployment, by GPUs, policy and slots, with the columns of `eplb_opt.size`."""
    rows: list[dict[str, Any]] = []
    for _, group in groupby(sorted(points, key=_order), key=lambda point: _order(point)[:2]):
        sizes = list(group)
        met = False
        for point, uneven in zip(sizes, _uneven(sizes, least_gain), strict=True):
            balance = _balance(loads, point)
            enough = balance["to_gain"] <= least_gain
            knee, met = enough and not met, met or enough
            rows.append(
                _shape(point)
                | balance
                | {"knee": knee, "held_out": point.held_out}
                | uneven
                | _memory(model, point)
                | _time(loads, point, step)
                | {"seconds": point.seconds}
            )
    return rows


def _order(point: Point) -> tuple[int, bool, int]:
    deployment = point.deployment
    return deployment.num_gpus, not deployment.hierarchical, deployment.slots_per_gpu


def _shape(point: Point) -> dict[str, Any]:
    deployment = point.deployment
    return {
        "gpus": deployment.num_gpus,
        "nodes": deployment.num_nodes,
        "policy": "hierarchical" if deployment.hierarchical else "global",
        "dispatch": deployment.dispatch,
        "slots_per_gpu": deployment.slots_per_gpu,
        "slots": deployment.num_slots,
        "redundant": deployment.num_slots - point.plan.num_experts,
    }


def _counted(point: Point, values: Sequence[Fraction]) -> list[Fraction]:
    """Those of layers with load, or of all where none has any."""
    loaded = [bool(mean) for mean in point.mean_loads]
    return list(compress(values, loaded)) or list(values)


def _balance(loads: Loads, point: Point) -> dict[str, float]:
    # Kernels load here and not with the package.
    from eplb_opt.bounds.any_size import any_size_bound

    instances = [instance for _, instance in layers_of(point.plan, loads)]
    floors = [any_size_bound(instance, point.objective) for instance in instances]
    value, bound, floor, unit = (
        sum(_counted(point, values), Fraction(0)) for values in (point.values, point.bounds, floors, _units(point))
    )
    # Without load every plan is perfect.
    value, bound, unit = (value, bound, unit) if value else (Fraction(1),) * 3
    return {
        "imbalance": float(value / unit),
        "bound": float(bound / unit),
        "balancedness": float(unit / value),
        "gap": float(relative_gap(value, bound)),
        "to_gain": float(relative_gap(value, floor or value)),
    }


def _units(point: Point) -> Sequence[Fraction]:
    """What a perfect plan of each layer is worth, in the unit of the objective."""
    return point.mean_loads if point.objective == "total" else [Fraction(1)] * len(point.values)


def _uneven(sizes: Sequence[Point], least_gain: float) -> list[dict[str, float]]:
    """For each size: redundant slots of a layer, in the mean, if each layer could have its own of these sizes.

    Where ranks draw, what a layer is worth depends on the layers before it: bounds add up, values of plans do not.
    """
    smallest = sizes[0].deployment
    base = smallest.num_slots - sizes[0].plan.num_experts
    plans = [_counted(point, point.values) for point in sizes]
    bounds = [_counted(point, point.bounds) for point in sizes]
    extra = [point.deployment.slots_per_gpu - smallest.slots_per_gpu for point in sizes]
    reached, least = (least_sums(_curves(extra, values)) for values in (plans, bounds))
    rows = []
    for values in plans:
        target = sum(values, Fraction(0)) * (1 + Fraction(least_gain))
        found = {"uneven": fewest_slots(reached, target), "uneven_least": fewest_slots(least, target)}
        if smallest.dispatch == DRAWN:
            found["uneven"] = None
        slots = {
            name: nan if spent is None else base + spent * smallest.num_gpus / len(values)
            for name, spent in found.items()
        }
        rows.append(slots)
    return rows


def _curves(extra: Sequence[int], values: Sequence[Sequence[Fraction]]) -> list[Curve]:
    """Values of each layer at every number of extra slots per GPU; between two sizes those of the smaller."""
    at = {size: place for place, size in enumerate(extra)}
    places: list[int] = []
    for size in range(extra[-1] + 1):
        places.append(at[size] if size in at else places[-1])
    return [[values[place][layer] for place in places] for layer in range(len(values[0]))]


def _memory(model: Model | None, point: Point) -> dict[str, float]:
    if model is None or model.expert_bytes is None:
        return {"gib": nan, "kv_tokens": nan}
    deployment = point.deployment
    fewest = deployment.possible_slots(point.plan.num_experts).start // deployment.num_gpus
    gib, least = (expert_gib_per_gpu(model, slots) for slots in (deployment.slots_per_gpu, fewest))
    return {"gib": gib, "kv_tokens": nan if model.kv_bytes_per_token is None else kv_tokens(model, gib - least)}


def _time(loads: Loads, point: Point, step: Step | None) -> dict[str, float]:
    if step is None:
        return {}
    return {
        "milliseconds": plan_milliseconds(step, point.plan, loads),
        "least_milliseconds": least_milliseconds(step, point.plan, loads, point.bounds, point.objective),
    }
