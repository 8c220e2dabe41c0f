"""Window search: every way to place the slots of a small layer, in all windows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import comb, lcm
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.rules import binding
from eplb_opt.certificates.search import State, all_placed
from eplb_opt.certificates.window_partition import partitions
from eplb_opt.certificates.windows import RecordedWindows

# Max loads of all windows, as imbalances.
Imbalances = tuple[Fraction, ...]

_MOST_SETS = 1_000
# In nanoseconds, to compare two rows of imbalances, for each window.
_PER_PAIR = 2_000


def proves_by_window_search(
    _certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, limit: WorkLimit
) -> bool:
    """Whether no plan is worth less than the bound, which all plans of each node show, put together in all ways.

    Raises
    ------
    CertificateError
        It is more work than the limit, or loads are not split evenly, or GPUs differ.
    """
    nodes, groups = binding(windows.deployment)
    share = groups // nodes
    if comb(groups, share) > _MOST_SETS:
        raise CertificateError("there are too many sets of groups")
    if nodes == 1:
        return not _best_of_node(windows, bound, limit)
    best = {taken: _best_of_node(windows.node(taken), bound, limit) for taken in combinations(range(groups), share)}
    for partition in partitions(groups, nodes):
        together = {windows.lower}
        for taken in partition:
            limit.spend(_PER_PAIR * len(windows.lower) * len(together) * len(best[taken]))
            together = {tuple(map(max, one, other)) for one in together for other in best[taken]}
            together = _undominated({row for row in together if windows.value([row]) < bound}, limit)
        if together:
            return False
    return True


def _best_of_node(windows: RecordedWindows, bound: Fraction, limit: WorkLimit) -> set[Imbalances]:
    """Imbalances of plans of a node with which a layer may be worth less than the bound; of those the lowest."""
    layers = windows.layers()
    tops = [layer.below(windows.highest(windows.lower, k, bound)) for k, layer in enumerate(layers)]
    units = [layer.units_per_token for layer in layers]
    found = all_placed(layers, tops, limit, _below(windows, bound, units))
    rows = {_hottest(state) for state in found}
    return _undominated({tuple(load / unit for load, unit in zip(row, units, strict=True)) for row in rows}, limit)


def _hottest(state: State) -> tuple[int, ...]:
    """The max load of each window."""
    return tuple(map(max, zip(*(loads for loads, _ in state), strict=True)))


def _below(windows: RecordedWindows, bound: Fraction, units: Sequence[Fraction]) -> Callable[[State], bool] | None:
    """Whether the mean of imbalances may be below the bound, those of the layer included; in whole numbers.

    For the largest imbalance limits on each window say it all.
    """
    if windows.weights is None:
        return None
    weights, terms = windows.weights, zip(windows.weights, windows.lower, strict=True)
    rates = [weight / unit for weight, unit in zip(weights, units, strict=True)]
    least, most = [weight * low for weight, low in terms], bound * sum(weights, Fraction(0))
    common = lcm(*(number.denominator for number in (*rates, *least, most)))
    factors, floors, top = [int(x * common) for x in rates], [int(x * common) for x in least], int(most * common)

    def keep(state: State) -> bool:
        parts = zip(factors, floors, _hottest(state), strict=True)
        return sum(max(floor, factor * load) for factor, floor, load in parts) < top

    return keep


def _undominated(rows: set[Imbalances], limit: WorkLimit) -> set[Imbalances]:
    """Rows that no other one is at most as large as in all windows."""
    kept: list[Imbalances] = []
    for row in sorted(rows):
        limit.spend(_PER_PAIR * len(row) * (1 + len(kept)))
        if not any(all(a <= b for a, b in zip(other, row, strict=True)) for other in kept):
            kept.append(row)
    return set(kept)
