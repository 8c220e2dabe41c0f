"""Envelope: whether experts need too many replicas, each as many as its hottest window asks for."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.rules import each_gpu, max_replicas, whole
from eplb_opt.certificates.windows import RecordedWindows


def proves_by_envelope(
    _certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, _limit: WorkLimit
) -> bool:
    """Whether below the bound experts need more replicas than there are slots, or than one can have."""
    if windows.weights is not None:
        raise CertificateError("an envelope is for the largest imbalance")
    slots, most = whole(windows.deployment, "num_slots"), max_replicas(len(windows.loads[0]), windows.deployment)
    imbalances = [
        [Fraction(load) * unit for load in window] for window, unit in zip(windows.loads, windows.units, strict=True)
    ]
    hottest = [max(expert) for expert in zip(*imbalances, strict=True)]
    # All may be on the fastest GPU. Fewer than load / bound are not below it, and neither are as many.
    fastest = max((speed for _, speed in each_gpu(windows.deployment)), default=Fraction(1))
    needed = [int(load / (bound * fastest)) + 1 if load else 1 for load in hottest]
    return sum(needed) > slots or max(needed) > most
