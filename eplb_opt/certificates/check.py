"""check: the way into the checker, for one window and for several."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import compress
from typing import Any

from eplb_opt.certificates.arguments import proves
from eplb_opt.certificates.envelope import proves_by_envelope
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import exact_value
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.rules import total_speed
from eplb_opt.certificates.window_partition import proves_by_window_partition
from eplb_opt.certificates.window_search import proves_by_window_search
from eplb_opt.certificates.window_weightings import proves_by_window_weightings
from eplb_opt.certificates.windows import RecordedWindows, proves_by_windows

# Of all arguments of a certificate about all windows together, in nanoseconds.
_NANOSECONDS = 4 * 10**10


def check(
    certificate: Mapping[str, Any],
    windows: Sequence[Sequence[Any]],
    deployment: Mapping[str, Any],
    *,
    objective: str = "total",
    window_weights: Sequence[Fraction] | None = None,
    unit: Fraction = Fraction(1),
) -> Fraction:
    """The bound that a certificate proves for a layer, after every step was checked.

    Parameters
    ----------
    certificate
        Parsed JSON, see `eplb_opt.certificates`.
    windows
        Load of each expert in each window, shape ``(windows, experts)``, taken as exact.
    deployment
        ``num_gpus``, ``num_slots``, ``num_nodes``, ``num_groups``, ``policy``, ``distinct`` and ``dispatch``; without
        the last one loads are split evenly. Where GPUs differ ``gpu_slots`` and ``gpu_speeds``, a list of numbers and
        one of exact texts: loads of GPUs are then load / speed.
    objective
        What the bound is about. ``"total"``: the max load of the sum of all windows, in tokens. ``"hottest"``: the
        largest max load of any window, in tokens. ``"mean"`` and ``"worst"``: the mean and the largest imbalance over
        the windows. Windows without load count for neither, and a layer without any load has imbalance 1.
    window_weights
        What each window counts for in the mean; ``None``: all the same.
    unit
        Tokens of one unit of the loads.

    Raises
    ------
    CertificateError
        A certificate that proves less than its bound, or is none.
    """
    try:
        bound = exact_value(certificate["bound"])
        weights = [Fraction(1)] * len(windows) if window_weights is None else window_weights
        if len(weights) != len(windows) or min(weights) < 0:
            raise CertificateError("weights of windows are negative, or not as many")
        if not _holds(certificate, bound, _exact(windows), deployment, objective, weights, unit):
            raise CertificateError(f"the argument {certificate.get('argument')} does not prove its bound")
    except CertificateError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise CertificateError(f"this is no certificate: {type(error).__name__}: {error}") from None
    return bound


def _holds(
    certificate: Mapping[str, Any],
    bound: Fraction,
    windows: Sequence[Sequence[int | Fraction]],
    deployment: Mapping[str, Any],
    objective: str,
    weights: Sequence[Fraction],
    unit: Fraction,
) -> bool:
    if objective == "total":
        total = [sum(expert) for expert in zip(*windows, strict=True)]
        return proves(certificate, Layer.of(total, deployment, unit), bound)
    if objective == "hottest":
        if len(windows) == 1:
            return proves(certificate, Layer.of(windows[0], deployment, unit), bound)
        recorded = RecordedWindows.of(windows, [unit] * len(windows), None, deployment)
        return proves_of_windows(certificate, bound, recorded, WorkLimit(_NANOSECONDS))
    if objective not in ("mean", "worst"):
        raise CertificateError(f"the objective {reprlib.repr(objective)} is not known")
    loaded = [any(window) for window in windows]
    windows, weights = list(compress(windows, loaded)), list(compress(weights, loaded))
    if not windows:
        return bound <= 1
    speed = total_speed(deployment)
    mean_loads = [Fraction(sum(window)) / speed for window in windows]
    if len(windows) == 1:
        # Of a single window a certificate speaks in tokens, whatever the objective.
        return proves(certificate, Layer.of(windows[0], deployment, unit), bound * mean_loads[0] * unit)
    units = [1 / mean_load for mean_load in mean_loads]
    recorded = RecordedWindows.of(windows, units, weights if objective == "mean" else None, deployment)
    return proves_of_windows(certificate, bound, recorded, WorkLimit(_NANOSECONDS))


def proves_of_windows(
    certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, limit: WorkLimit
) -> bool:
    """Whether an argument shows that no plan is worth less than the bound, in several windows.

    Raises
    ------
    CertificateError
        It is not known, makes no sense for these windows, or is more work than the limit.
    """
    kind = certificate["argument"]
    if not isinstance(kind, str) or kind not in WINDOW_ARGUMENTS:
        raise CertificateError(f"the argument {reprlib.repr(kind)} is not known")
    return WINDOW_ARGUMENTS[kind](certificate, bound, windows, limit)


def _proves_by_window_partition(
    certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, limit: WorkLimit
) -> bool:
    with limit.nested():
        prove = partial(proves_of_windows, limit=limit)
        return proves_by_window_partition(certificate, bound, windows, limit, prove)


WINDOW_ARGUMENTS: Mapping[str, Callable[[Mapping[str, Any], Fraction, RecordedWindows, WorkLimit], bool]] = {
    "windows": proves_by_windows,
    "window partition": _proves_by_window_partition,
    "envelope": proves_by_envelope,
    "window weightings": proves_by_window_weightings,
    "search": proves_by_window_search,
}


def _exact(windows: Sequence[Sequence[Any]]) -> list[list[int | Fraction]]:
    """Loads as exact numbers; a `CertificateError` where they are none, as texts such as 1e999999999 are not."""
    if any(isinstance(load, str) for window in windows for load in window):
        raise CertificateError("a load is no number")
    exact = [[load if isinstance(load, int | Fraction) else Fraction(load) for load in window] for window in windows]
    if len({len(window) for window in exact}) != 1 or min(map(min, exact)) < 0:
        raise CertificateError("windows have different experts, or negative loads")
    return exact
