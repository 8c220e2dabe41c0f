"""What engines call planners with: sizes that they allow, and loads."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import numpy as np
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.plan import Plan
from eplb_opt.plugins.planner import deployment_of
from eplb_opt.verify import max_loads
from tests.reference_policy import reference_max_load


@dataclass(frozen=True)
class Numbers:
    """An engine's sizes."""

    experts: int
    slots: int
    groups: int
    nodes: int
    gpus: int

    @property
    def deployment(self) -> Deployment:
        return deployment_of(self.experts, self.slots, self.groups, self.nodes, self.gpus)


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    """Sizes of all kinds: GPUs that do not divide by nodes, groups that do not, more slots on a GPU than experts."""
    groups, nodes, gpus = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(1, 6))
    experts = groups * draw(st.integers(1, 4))
    size = -(-experts // gpus) + draw(st.integers(0, 2))
    return Numbers(experts, gpus * size, groups, nodes, gpus)


@st.composite
def loads(draw: st.DrawFn, sizes: Numbers) -> np.ndarray:
    """A few layers, some without load; whole numbers when divided by any count, so that floats tie where numbers do."""
    layers = draw(st.integers(1, 3))
    row = st.lists(st.integers(0, 1000), min_size=sizes.experts, max_size=sizes.experts)
    rows = draw(st.lists(row | st.just([0] * sizes.experts), min_size=layers, max_size=layers))
    return np.array(rows) * lcm(*range(1, sizes.slots - sizes.experts + 2))


def check(sizes: Numbers, values: np.ndarray, rows: np.ndarray) -> None:
    """Rows obey the deployment's rules, and are no hotter than the shipped policy's; it may double up experts."""
    published = Deployment(sizes.gpus, sizes.slots, sizes.nodes, sizes.groups, sizes.deployment.policy, distinct=False)
    assert rows.shape == (len(values), sizes.slots)
    assert eplb_opt.verify(Plan(rows, published, sizes.experts)) == []
    for layer, row in zip(values, rows, strict=True):
        instance = Instance.from_loads(layer, published)
        limit = reference_max_load(instance)
        assert max_loads(row.tolist(), instance)[0] <= limit
        plan = Plan(row[np.newaxis], sizes.deployment, sizes.experts)
        # Replicas share a GPU only where the shipped policy gains by that.
        assert eplb_opt.verify(plan) == [] or max_loads(row.tolist(), instance)[0] == limit
