"""Mixed counts: what a linear program leaves to branch on."""

from __future__ import annotations

import numpy as np

from eplb_opt.kernels.compiler import Bools, Floats, Ints

# Averages nearer to one count than this have that count.
_WHOLE = 1e-6


def most_mixed(experts: Ints, values: Floats, loads: Floats, free: Bools) -> int | None:
    """The expert to branch on: that with most load, by how far its average is from one count; ``None`` if all have one.

    Parameters
    ----------
    experts, values
        Of each item, an expert with a count: the expert, and the part of it that has this count.
    loads
        Of each expert. Whatever the counts of experts without load, GPUs carry the same.
    free
        Which experts may have several counts.
    """
    largest = np.zeros(loads.size)
    np.maximum.at(largest, experts, values)
    mixed = np.where((largest < 1 - _WHOLE) & free, (1 - largest) * loads, -1.0)
    expert = int(mixed.argmax())
    return expert if mixed[expert] > 0 else None
