"""skew: how unequal the experts of each layer are."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from eplb_opt.loads import Loads

if TYPE_CHECKING:
    import pandas as pd

# The hottest experts whose share of the load is told, as a part of all experts.
_HOTTEST = 0.1


def skew(loads: Loads) -> pd.DataFrame:
    """One row per layer, windows summed, in floats.

    ``layer_id``; ``tokens``; over experts ``max_over_mean`` and the coefficient of variation ``cv``; the
    ``hottest_expert`` and the ``hottest_share`` of the load that it has; ``hottest_tenth_share``, that of the hottest
    tenth of the experts; ``idle_experts``, those without load. In a layer without load no expert is the hottest, and
    ratios are ``NaN``.
    """
    import pandas as pd

    total = loads.values.sum(axis=0, dtype=np.float64)
    ordered, sums = -np.sort(-total, axis=1), total.sum(axis=1)
    whole = np.where(sums > 0, sums, nan)
    return pd.DataFrame(
        {
            "layer_id": loads.layer_ids,
            "tokens": sums,
            "max_over_mean": ordered[:, 0] * loads.num_experts / whole,
            "cv": total.std(axis=1) * loads.num_experts / whole,
            # Among integers pandas would make None a NaN, and floats of the others.
            "hottest_expert": pd.Series(np.where(sums > 0, total.argmax(axis=1), None), dtype=object),
            "hottest_share": ordered[:, 0] / whole,
            "hottest_tenth_share": ordered[:, : hottest_of(loads.num_experts)].sum(axis=1) / whole,
            "idle_experts": (total == 0).sum(axis=1),
        }
    )


def hottest_of(num_experts: int) -> int:
    """How many experts are the hottest tenth, at least one."""
    return max(1, round(_HOTTEST * num_experts))
