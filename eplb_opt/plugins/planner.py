"""Planner: what every plug-in asks. Plans are a function of the arguments alone, and never take an engine down."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_seconds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.instance import Instance
from eplb_opt.limits import usable_cores
from eplb_opt.loads import Loads
from eplb_opt.moves import count_moves, keep_slots
from eplb_opt.plan import Plan
from eplb_opt.plugins.changes import Changes
from eplb_opt.plugins.few_moves import few_moves
from eplb_opt.plugins.loading import KERNELS
from eplb_opt.plugins.max_loads import exact_max_loads, hottest_loads, strictly_cooler, valid_layers
from eplb_opt.plugins.plain import Ints, even_rows, published_rows
from eplb_opt.renumbering import renumber
from eplb_opt.tokens import LEAST
from eplb_opt.verify import require_valid

logger = logging.getLogger(__name__)

Fallback = Callable[[NDArray[Any], Deployment], Ints]

TIME_LIMIT = "EPLB_OPT_TIME_LIMIT"
DEFAULT_SECONDS = 0.5
# A layer this close to its bound, relatively, is done.
_CLOSE_ENOUGH = Fraction(1, 10_000)
# Engines need the other cores of their host, and several ranks plan on it at once.
_MOST_THREADS = 4


def time_limit() -> float:
    """Seconds of search on one core, for all layers of a call: the variable ``EPLB_OPT_TIME_LIMIT``, or 0.5.

    Counted in work done and not on the clock, so that all ranks stop at the same plan; with more cores, up to four, the
    call takes less. What the search begins with takes some 3 ms a layer on top. An engine that plans between two steps
    stands still meanwhile, every few thousand steps of tens of milliseconds: half a second is about half a percent of
    its time. There is about as much to gain: the shipped policy leaves the hottest GPU half a percent to three percent
    hotter than it has to be, this search some hundredths of a percent. An engine that plans beside its steps can
    afford more. Set it alike for all ranks.

    Raises
    ------
    InvalidArgumentError
        The variable is no positive number of seconds.
    """
    text = os.environ.get(TIME_LIMIT)
    if text is None:
        return DEFAULT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        raise InvalidArgumentError(f"{TIME_LIMIT}={text!r} is not a number of seconds, such as 0.5") from None
    positive_seconds(TIME_LIMIT, seconds)
    return seconds


def layer_loads(weight: Any, name: str = "weight") -> NDArray[Any]:
    """Loads of shape ``(layers, experts)``, int64 or float64, from a tensor or array on any device, of any number type.

    A moving average of an engine decays to next to nothing, which is no load here.

    Raises
    ------
    InvalidLoadsError
        Another shape, or values that are negative or not finite.
    """
    shape = tuple(np.shape(weight))
    if len(shape) != 2:
        raise InvalidLoadsError(f"{name} has shape {shape}; expected (layers, experts)")
    # No other type of numbers holds one as small.
    if str(getattr(weight, "dtype", "")).endswith("float64"):
        weight = host_array(weight)
        weight = np.where((weight > 0) & (weight < LEAST), 0.0, weight)
    values: NDArray[Any] = Loads.of(weight).values[0]
    return values


def host_array(tensor: Any) -> NDArray[Any]:
    """A tensor of integers, on any device, or an array or nested list, as an array."""
    return np.asarray(tensor.detach().cpu() if hasattr(tensor, "detach") else tensor)


def deployment_of(
    num_experts: int,
    num_slots: int,
    num_groups: int,
    num_nodes: int,
    num_gpus: int,
    *,
    hierarchical: bool | None = None,
) -> Deployment:
    """The deployment that an engine's numbers mean.

    Replicas are distinct unless a GPU has more slots than there are experts to fill it with. Groups are bound to nodes
    if `hierarchical`, or by default where they divide by several nodes, as the shipped policy decides. GPUs that do not
    divide by the nodes make placement global, as in vLLM.

    Raises
    ------
    InvalidDeploymentError
        Numbers that are no positive integers or do not divide, or too few slots.
    """
    # Born first, so that what is divided by below is a number.
    one_each = Deployment(num_gpus, num_gpus, num_nodes, num_groups, policy="global", distinct=False)
    numbers = one_each.with_slots(num_slots, num_experts)
    if hierarchical is None:
        hierarchical = numbers.num_groups % numbers.num_nodes == 0
    divides = numbers.num_nodes > 1 and numbers.num_gpus % numbers.num_nodes == 0
    deployment = replace(numbers, policy="hierarchical" if hierarchical and divides else "global")
    distinct = deployment.slots_per_gpu <= num_experts // deployment.binding_nodes
    deployment = replace(deployment, distinct=distinct)
    deployment.require_room_for(num_experts)
    return deployment


def plan_layers(
    values: NDArray[Any],
    deployment: Deployment,
    old: Ints | None = None,
    *,
    doubles: bool = True,
    fallback: Fallback = published_rows,
) -> Ints:
    """Slot -> expert of all layers, shape ``(layers, slots)``; verified.

    Layers without load keep their row of `old`, or get an even plan, without compiled code and at once. Others are
    planned within `time_limit`; where that is no cooler than `old`, the old row stays, and else it is renumbered so
    that few experts move. What stays on a GPU stays in its slot. Where `Changes` are asked for and `old` is known, as
    few experts move as they say, or none where too little is to be gained. Whatever goes wrong in planning is logged,
    and `fallback` makes the plans, but for old rows that stay if `Changes` are asked for.

    Parameters
    ----------
    values
        Loads in tokens, shape ``(layers, experts)``, as `layer_loads` returns them, not negative and finite.
    deployment
        Has room for the experts.
    old
        What the slots hold now, shape ``(layers, slots)``; negative where they are empty.
    doubles
        In layers where the shipped policy is strictly cooler because it doubles up an expert on a GPU, take its plan:
        no layer is ever worse than with it.
    fallback
        Makes the rows of layers with load when planning fails, from their loads and the deployment.
    """
    seconds, changes = time_limit(), Changes.asked()
    KERNELS.begin()
    call = _Call(deployment, doubles, seconds, changes)
    rows = even_rows(values, deployment)
    loaded = values.any(axis=1)
    if old is not None and not loaded.all():
        empty = np.flatnonzero(~loaded)
        empty = empty[valid_layers(old[empty], call.widest if changes.any else deployment, values.shape[1])]
        rows[empty] = old[empty]
    if loaded.any():
        try:
            rows[loaded] = call.rows(values[loaded], None if old is None else old[loaded])
        # An engine outlives whatever fails here.
        except Exception as error:
            logger.warning("planning failed, a plain plan takes its place: %s: %s", type(error).__name__, error)
            logger.debug("planning failed", exc_info=True)
            rows[loaded] = fallback(values[loaded], deployment)
            if old is not None and changes.any:
                stays = loaded & valid_layers(old, call.widest, values.shape[1])
                rows[stays] = old[stays]
    return rows if old is None else keep_slots(rows, old, deployment.num_gpus)


@dataclass(frozen=True)
class _Call:
    """What planning goes by, beside loads and the old rows; layers have load."""

    deployment: Deployment
    doubles: bool
    seconds: float
    changes: Changes

    def rows(self, values: NDArray[Any], old: Ints | None) -> Ints:
        """Rows of all layers, as `plan_layers` says."""
        KERNELS.wait()
        begin = perf_counter()
        if old is None or not self.changes.any:
            if self.changes.any:
                logger.info(
                    "what the slots hold now is not known, so that any number of experts move%s", self.changes.words
                )
            rows = self._free(values, old)
        else:
            rows = np.empty_like(old)
            runs = valid_layers(old, self.widest, values.shape[1])
            if not runs.all():
                logger.info("%d rows break a rule and are made anew, whatever moves", np.count_nonzero(~runs))
                rows[~runs] = self._free(values[~runs], old[~runs])
            if runs.any():
                rows[runs] = self._changed(values[runs], old[runs])
        require_valid(Plan(rows, self.widest, values.shape[1]))
        _tell(values, rows, old, self.deployment, perf_counter() - begin)
        return rows

    @property
    def widest(self) -> Deployment:
        """The rules that every row obeys."""
        return replace(self.deployment, distinct=self.deployment.distinct and not self.doubles)

    def _free(self, values: NDArray[Any], old: Ints | None) -> Ints:
        """Rows in which any number of experts move."""
        num_experts = values.shape[1]
        rows = self._searched(values)
        require_valid(Plan(rows, self.deployment, num_experts))
        if self.doubles:
            shipped = published_rows(values, self.deployment)
            cooler = strictly_cooler(values, shipped, rows, self.deployment)
            rows[cooler] = shipped[cooler]
        if old is not None:
            stays = valid_layers(old, self.deployment, num_experts)
            stays[stays] = ~strictly_cooler(values[stays], rows[stays], old[stays], self.deployment)
            rows[stays] = old[stays]
            rows[~stays] = renumber(rows[~stays], old[~stays], self.deployment)
        return rows

    def _changed(self, values: NDArray[Any], old: Ints) -> Ints:
        """Rows made from old ones that are valid, with as few moves as are allowed, or these where too little gains."""
        from eplb_opt.bounds.quick import quick_bounds

        layers = [Instance.from_loads(layer, self.widest) for layer in values]
        bounds = [max(proof.bound for proof in quick_bounds(layer)) for layer in layers]
        least, runs = self.changes.least_gain, sum(exact_max_loads(values, old, self.widest))
        if least and runs - sum(bounds) < least * runs:
            logger.info("nothing moves: no plan gains more than %.2f %%, proven", 100 * (1 - sum(bounds) / runs))
            return old
        if self.changes.limited:
            strict = valid_layers(old, self.deployment, values.shape[1])
            layers = [
                Instance.from_loads(layer, self.deployment if apart else self.widest)
                for layer, apart in zip(values, strict, strict=True)
            ]
            with self._threads(len(values)) as threads:
                rows = few_moves(layers, old, bounds, self.changes, self.seconds, threads)
        else:
            rows = self._free(values, old)
        if least and (gain := 1 - sum(exact_max_loads(values, rows, self.widest)) / runs) < least:
            logger.info("nothing moves: the plan that was found gains %.2f %%", 100 * gain)
            return old
        return rows

    def _searched(self, values: NDArray[Any]) -> Ints:
        """Search on all layers, in threads, as compiled code does not hold Python."""
        instances = [Instance.from_loads(layer, self.deployment) for layer in values]
        with self._threads(len(values)) as threads:
            return np.stack(list(threads.map(_search, instances, [self.seconds / len(values)] * len(instances))))

    def _threads(self, layers: int) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(min(_MOST_THREADS, usable_cores(), layers), "eplb_opt")


def _search(instance: Instance, seconds: float) -> Ints:
    """Greedy, swap descent and search on one layer; same arguments, same plan."""
    from eplb_opt.bounds.quick import quick_bounds
    from eplb_opt.heuristics.pipeline import PAIRS_PER_SECOND, greedy_plus_swap
    from eplb_opt.heuristics.planner import better_plan

    enough = max(proof.bound for proof in quick_bounds(instance)) / (1 - _CLOSE_ENOUGH)
    slots = greedy_plus_swap(instance, int(seconds * PAIRS_PER_SECOND))
    return better_plan(instance, slots, enough, seconds, seed=0)


def _tell(values: NDArray[Any], rows: Ints, old: Ints | None, deployment: Deployment, seconds: float) -> None:
    """One line for the log: how balanced the layers with load are, beside the shipped policy's plan, and what moves."""
    if not logger.isEnabledFor(logging.INFO):
        return
    num_gpus, shipped = deployment.num_gpus, published_rows(values, deployment)
    mean = values.sum(axis=1, dtype=np.float64).sum() / num_gpus
    ours, theirs = (hottest_loads(values, plan, num_gpus).sum() / mean for plan in (rows, shipped))
    moves = "" if old is None else f", {count_moves(rows, old, num_gpus).sum()} of {rows.size} replicas move"
    logger.info(
        "%d layers planned in %.0f ms: imbalance %.4f, of the shipped policy %.4f%s",
        len(values),
        1e3 * seconds,
        ours,
        theirs,
        moves,
    )
