"""What a plan is worth by the definition alone, and recordings with windows and layers without load."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import nan

import numpy as np
import pytest
from hypothesis import strategies as st

from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from tests.oracle import row_gpu_loads
from tests.strategies import SMALL, TOKENS, deployments_and_experts, load_rows, rows_of_slots

OBJECTIVES = ("total", "mean", "worst")


@dataclass(frozen=True)
class Known:
    """A plan and its GPU loads in every window and layer, exactly and by the definition alone."""

    plan: Plan
    loads: Loads
    gpu_loads: dict[tuple[int, int], list[Fraction]]

    @classmethod
    def of(cls, plan, loads):
        instances = [Instance.from_loads(loads.values[:, layer], plan.deployment) for layer in range(loads.num_layers)]
        return cls(
            plan,
            loads,
            {
                (window, layer): row_gpu_loads(tuple(plan.physical_to_logical[layer].tolist()), instance, window)
                for layer, instance in enumerate(instances)
                for window in range(loads.num_windows)
                if loads.values[window, layer].any()
            },
        )

    def imbalances(self, layer=None):
        """Of a layer, or of all of them, in the windows with load."""
        return [
            max(gpus) / (sum(gpus) / len(gpus))
            for (_, row), gpus in self.gpu_loads.items()
            if layer is None or row == layer
        ]

    def total(self, layer):
        """GPU loads of a layer, windows summed."""
        parts = [gpus for (_, row), gpus in self.gpu_loads.items() if row == layer]
        return [sum(column) for column in zip(*parts, strict=True)] or [Fraction(0)] * self.plan.deployment.num_gpus

    def objective(self, layer, objective, weights=None):
        if objective == "total":
            return max(self.total(layer))
        imbalances = self.imbalances(layer)
        if not imbalances:
            return Fraction(1)
        if objective == "worst":
            return max(imbalances)
        parts = [Fraction((weights or [1] * self.loads.num_windows)[window]) for window in self.windows(layer)]
        return sum(value * part for value, part in zip(imbalances, parts, strict=True)) / sum(parts)

    def windows(self, layer):
        """Those in which the layer has load."""
        return [window for window, row in self.gpu_loads if row == layer]

    def loaded(self):
        return sorted({layer for _, layer in self.gpu_loads})

    def excess(self, values, objective):
        """Of all layers with load: of sums of tokens, or the mean."""
        layers = self.loaded()
        if not layers:
            return nan
        perfect = len(layers)
        if objective == "total":
            perfect = sum((sum(self.total(layer)) for layer in layers), Fraction(0)) / self.plan.deployment.num_gpus
        return float(sum(values[layer] for layer in layers) / perfect - 1)


@st.composite
def recorded(draw, min_windows=1):
    """A deployment of any rules, and loads with random windows emptied, of whole layers and of none."""
    deployment, experts = draw(deployments_and_experts())
    windows, layers = draw(st.integers(min_windows, 3)), draw(st.integers(1, 3))
    rows = [[draw(load_rows(experts, (SMALL, TOKENS))) for _ in range(layers)] for _ in range(windows)]
    values = np.array(rows)
    for window, layer in np.ndindex(windows, layers):
        if draw(st.integers(0, 2)) == 0:
            values[window, layer] = 0
    return deployment, Loads(values, tuple(range(3, 3 + layers)))


@st.composite
def plans_on(draw, deployment, loads):
    rows = [
        draw(rows_of_slots(Instance.from_loads(loads.values[:, row], deployment))) for row in range(loads.num_layers)
    ]
    return Plan(np.array(rows), deployment, loads.num_experts, **loads.labels.fields)


def near(value):
    return pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True)
