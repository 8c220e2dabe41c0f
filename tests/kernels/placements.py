"""Placements of a layer as compiled code has them, and what holds of every one."""

import numpy as np

from eplb_opt.kernels.placement import placement_of
from eplb_opt.kernels.shares import BY_RANK, EVEN, NEAREST, share_out, sources_of

RULES = {"even": EVEN, "nearest": NEAREST, "by-rank": BY_RANK, "optimal": EVEN}


def placement(instance, row):
    """A placement of a row, with loads in tokens."""
    sources = sources_of(RULES[instance.deployment.dispatch], instance.deployment)
    loads = instance.tokens.T.copy()
    return placement_of(loads, np.array(row, dtype=np.int64), sources, instance.max_replicas)


def require_sound(p):
    """Counts, places and shares are those of the slots, and loads of GPUs those of a fresh sum."""
    assert p.counts.tolist() == np.bincount(p.slots, minlength=len(p.counts)).tolist()
    loads = np.zeros_like(p.gpu_loads)
    for expert, count in enumerate(p.counts):
        places = np.flatnonzero(p.slots == expert)
        assert p.places[expert, :count].tolist() == places.tolist()
        parts = np.zeros(count, dtype=np.int64)
        share_out(p.sources, places, parts)
        assert p.parts[expert, :count].tolist() == parts.tolist()
        for slot, part in zip(places, parts, strict=True):
            loads[slot // (len(p.slots) // p.sources.gpus)] += p.loads[expert] * part / (p.sources.gpus * count)
    assert np.allclose(p.gpu_loads, loads, rtol=1e-9, atol=1e-9 * (p.loads.max() or 1.0))
