"""Several windows, as imbalances, and the argument about each of them by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from eplb_opt.certificates.arguments import proves
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.rules import binding, of_node, total_speed


@dataclass(frozen=True)
class RecordedWindows:
    """Windows of a layer, or of a node with some groups, and what a plan of the layer is worth in them.

    Attributes
    ----------
    loads
        Load of each expert in each window.
    units
        What makes imbalances of them: one divided by the mean load of a GPU of the window.
    weights
        What each window counts for in the mean imbalance; ``None``: the largest imbalance.
    deployment
        Rules, as in solution files.
    lower
        Imbalances of the layer are at least these. Those of a node may be less.
    above
        More than any imbalance of the layer, where GPUs are alike.
    """

    loads: Sequence[Sequence[int | Fraction]]
    units: Sequence[Fraction]
    weights: Sequence[Fraction] | None
    deployment: Mapping[str, Any]
    lower: tuple[Fraction, ...]
    above: Fraction

    @classmethod
    def of(
        cls,
        loads: Sequence[Sequence[int | Fraction]],
        units: Sequence[Fraction],
        weights: Sequence[Fraction] | None,
        deployment: Mapping[str, Any],
    ) -> RecordedWindows:
        """Windows of a layer: GPUs carry the total load on average, and none carries more."""
        totals = [sum(window) * unit for window, unit in zip(loads, units, strict=True)]
        speed = Fraction(total_speed(deployment))
        return cls(loads, units, weights, deployment, tuple(total / speed for total in totals), max(totals) + 1)

    def node(self, taken: tuple[int, ...]) -> RecordedWindows:
        """What a node that takes some groups has of each window; imbalances are those of the layer."""
        size = len(self.loads[0]) // binding(self.deployment)[1]
        experts = [e for group in taken for e in range(group * size, (group + 1) * size)]
        loads = [[window[e] for e in experts] for window in self.loads]
        return replace(self, loads=loads, deployment=of_node(self.deployment))

    def value(self, nodes: Sequence[Sequence[Fraction]]) -> Fraction:
        """What a plan is worth at least whose nodes have these imbalances at least, a row of windows for each node."""
        hottest: list[Fraction] = [max(window) for window in zip(*nodes, strict=True)]
        if self.weights is None:
            return max(hottest)
        total = sum((hot * weight for hot, weight in zip(hottest, self.weights, strict=True)), Fraction(0))
        value: Fraction = total / sum(self.weights, Fraction(0))
        return value

    def highest(self, lower: Sequence[Fraction], window: int, bound: Fraction) -> Fraction:
        """What the imbalance of a window stays below if a plan is worth less than the bound.

        Those of the others are at least `lower`. A window that counts for nothing may have any imbalance.
        """
        if self.weights is None:
            return min(bound, self.above)
        total = sum(self.weights, Fraction(0))
        if not self.weights[window]:
            return self.above
        left = max(Fraction(0), bound - self.value([lower]))
        return min(self.above, lower[window] + left * total / self.weights[window])

    def layers(self) -> list[Layer]:
        """Each window as a layer, for arguments about an even split on one node of GPUs that are alike."""
        layers = [Layer.of(loads, self.deployment, unit) for loads, unit in zip(self.loads, self.units, strict=True)]
        if any(not layer.even or layer.each or layer.nodes > 1 for layer in layers):
            raise CertificateError("it is about an even split, on one node of GPUs that are alike")
        return layers


def proves_by_windows(
    certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, _limit: WorkLimit
) -> bool:
    """Whether what is proven of each window by itself comes to the bound."""
    return windows.value([proven_of_each(certificate["windows"], windows)]) >= bound


def proven_of_each(certificates: Sequence[Mapping[str, Any]], windows: RecordedWindows) -> list[Fraction]:
    """The imbalances that certificates prove, one for each window."""
    if len(certificates) != len(windows.loads):
        raise CertificateError(f"{len(certificates)} certificates for {len(windows.loads)} windows")
    bounds = []
    for certificate, loads, unit in zip(certificates, windows.loads, windows.units, strict=True):
        bound = exact_value(certificate["bound"], ARGUMENT_DIGITS)
        if not proves(certificate, Layer.of(loads, windows.deployment, unit), bound):
            raise CertificateError(f"the argument {certificate['argument']} of a window does not prove its bound")
        bounds.append(bound)
    return bounds
