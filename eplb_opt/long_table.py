"""Long tables: a row per count, with its layer and its expert, become counts of all layers and experts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.columns import id_of
from eplb_opt.errors import EplbOptError
from eplb_opt.layers import MOST_LAYERS
from eplb_opt.tokens import LIMIT, too_many

# More than any model or recording has: beyond, a damaged cell would take all memory.
_MOST = {"layer": MOST_LAYERS, "expert": 10_000, "step": 2**53, "rank": 1_000_000}


@dataclass(frozen=True, eq=False)
class LongTable:
    """Counts in the order of their layers, from a table in any order.

    Attributes
    ----------
    values
        Shape ``(steps, layers, experts)``, int64 or float64, summed over ranks; a count without a row is 0. Experts
        go up to the largest that has a row, as nothing tells of others.
    layer_ids
        Layer of each row of a step, increasing.
    steps
        Number of each step, increasing.
    """

    values: NDArray[Any]
    layer_ids: tuple[int, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(
        cls,
        cells: Mapping[str, Sequence[Any]],
        place: Callable[[int], str],
        error: type[EplbOptError],
    ) -> LongTable:
        """The table with these cells.

        Parameters
        ----------
        cells
            ``layer``, ``expert``, ``count``, and maybe ``step`` and ``rank``: one number for each row.
        place
            What a row is called in messages.

        Raises
        ------
        error
            No row, an id that is no integer from 0, a count that is not finite or negative, or two counts for the
            same step, rank, layer and expert.
        """
        counts = list(cells["count"])
        if not counts:
            raise error("the table is empty: it has no row of counts")
        ids = {key: _ids(key, cells[key], place, error) for key in _MOST if key in cells}
        axes = {key: np.unique(ids[key], return_inverse=True) for key in ids}
        layers, layer = axes["layer"]
        steps, step = axes.get("step", (np.zeros(1, np.int64), np.zeros_like(layer)))
        ranks, rank = axes.get("rank", (np.zeros(1, np.int64), np.zeros_like(layer)))
        num_experts = int(ids["expert"].max()) + 1
        _require_single(np.stack([step, rank, layer, ids["expert"]]), place, error)
        numbers = _counts(counts, len(ranks), place, error)
        values = np.zeros((len(steps), len(layers), num_experts), dtype=numbers.dtype)
        np.add.at(values, (step, layer, ids["expert"]), numbers)
        return cls(values, tuple(layers.tolist()), tuple(steps.tolist()))


def last_expert(values: NDArray[Any]) -> list[str]:
    """A sentence where experts without a token have no row, and there are such: the last ones may be among them."""
    if values.all():
        return []
    return [
        f"the largest expert with a row is {values.shape[-1] - 1}, and experts without a token have none: say experts, "
        "or give the last one a row, where the model has more"
    ]


def require_no_order(cells: Mapping[str, Sequence[Any]], error: type[EplbOptError]) -> None:
    """Refuse ranks that each have one count of a layer: these are the places in a list of the hottest experts.

    Where each GPU has one expert they may be GPUs; then nothing is lost without them.
    """
    if len(set(cells.get("rank", ()))) < 2:
        return
    axes = [cells[key] for key in ("step", "layer", "rank") if key in cells]
    if len(set(zip(*axes, strict=True))) == len(axes[0]):
        raise error(
            "each rank has one count of a layer, as in a list of the hottest experts; if ranks are GPUs, leave them out"
        )


def _ids(key: str, values: Sequence[Any], place: Callable[[int], str], error: type[EplbOptError]) -> NDArray[np.int64]:
    numbers = [id_of(value) for value in values]
    for row, value in enumerate(numbers):
        if type(value) is not int or not 0 <= value < _MOST[key]:
            raise error(f"{place(row)} has {key} {value!r}, which is no integer from 0 to {_MOST[key] - 1}")
    return np.array(numbers, dtype=np.int64)


def _counts(values: list[Any], ranks: int, place: Callable[[int], str], error: type[EplbOptError]) -> NDArray[Any]:
    """Counts whose sums over ranks are tokens too; integers stay integers where all are."""
    for row, value in enumerate(values):
        if type(value) not in (int, float) or not isfinite(value) or value < 0:
            raise error(f"{place(row)} has count {value!r}, which is not a finite, non-negative number of tokens")
        if value * ranks >= LIMIT:
            raise error(too_many(f"{place(row)} has count {value}, which{f' for {ranks} ranks' * (ranks > 1)}"))
    return np.array(values, dtype=np.int64 if all(type(value) is int for value in values) else np.float64)


def _require_single(keys: NDArray[np.int64], place: Callable[[int], str], error: type[EplbOptError]) -> None:
    """Refuse two rows for one count: nobody can say whether they add up or one replaces the other."""
    order = np.lexsort(keys)
    same = (np.diff(keys[:, order], axis=1) == 0).all(axis=0)
    if same.any():
        at = int(same.argmax())
        first, second = sorted((int(order[at]), int(order[at + 1])))
        raise error(f"{place(second)} counts the same layer and expert again as {place(first)}")
