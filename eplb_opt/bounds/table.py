"""lower_bound: the instant bounds of every layer as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.deployment import Deployment, require_deployment
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.proof import strongest

if TYPE_CHECKING:
    import pandas as pd


def lower_bound(loads: Any, deployment: Deployment) -> pd.DataFrame:
    """Instant lower bounds on the max load of each layer, by name, without any search.

    Parameters
    ----------
    loads
        As in `eplb_opt.solve`; several windows are summed.
    deployment
        Where the experts can live.

    Returns
    -------
    pandas.DataFrame
        One row per layer: ``layer_id``; one column per bound in tokens (``mean``, ``nodes`` under the hierarchical
        policy, ``adams``, ``slack``, or ``few slots`` where GPUs differ), see `eplb_opt.bounds.quick`;
        ``lower_bound``, the largest; ``argument``, its name; ``least_imbalance``, the largest over the mean load.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input, or a deployment that cannot hold the experts.
    """
    import pandas as pd

    from eplb_opt.bounds.quick import quick_bounds

    loads = Loads.of(loads)
    require_deployment(deployment)
    rows = []
    for layer_id, values in zip(loads.layer_ids, np.moveaxis(loads.values, 1, 0), strict=True):
        proofs = quick_bounds(Instance.from_loads(values, deployment).total())
        best = strongest(*proofs)
        mean = proofs[0].bound
        rows.append(
            {
                "layer_id": layer_id,
                **{proof.argument: float(proof.bound) for proof in proofs},
                "lower_bound": float(best.bound),
                "argument": best.argument,
                "least_imbalance": float(best.bound / mean) if mean else 1.0,
            }
        )
    return pd.DataFrame(rows)
