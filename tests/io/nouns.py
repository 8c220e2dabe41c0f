"""Hypothesis strategies for what files hold: loads, plans and solutions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from eplb_opt.layer_solution import LayerSolution, TracePoint
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.proof import Proof
from eplb_opt.solution import Solution
from tests.strategies import instances, rows_of_slots

COUNTS = st.integers(0, 2**47) | st.integers(0, 3)
FLOATS = st.floats(1e-200, 2.0**47) | st.sampled_from([0.0, 0.1, 1e-200, 2.0**47 + 2])
EXACT = st.fractions(min_value=0, max_value=2**52)


@st.composite
def layer_ids(draw: st.DrawFn, count: int) -> tuple[int, ...]:
    """Increasing ids with gaps."""
    return tuple(sorted(draw(st.sets(st.integers(0, 12), min_size=count, max_size=count))))


@st.composite
def loads(draw: st.DrawFn, max_windows: int = 3) -> Loads:
    """Loads with at least one token; ids have gaps, and the model may have layers behind the last one."""
    shape = draw(st.integers(1, max_windows)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    size = shape[0] * shape[1] * shape[2]
    kind, dtype = draw(st.sampled_from([(COUNTS, np.int64), (FLOATS, np.float64)]))
    numbers = draw(st.lists(kind, min_size=size, max_size=size).filter(any))
    ids = draw(layer_ids(shape[1]))
    values = np.array(numbers, dtype=dtype).reshape(shape)
    return Loads(values, ids, num_model_layers=ids[-1] + draw(st.integers(1, 2)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Valid plans of every policy."""
    instance = draw(instances())
    count = draw(st.integers(1, 3))
    ids = draw(layer_ids(count))
    rows = [draw(rows_of_slots(instance)) for _ in range(count)]
    layers = ids[-1] + draw(st.integers(1, 2))
    return Plan(np.array(rows), instance.deployment, instance.num_experts, ids, layers)


@st.composite
def solutions(draw: st.DrawFn) -> Solution:
    """Solutions of valid plans, with made-up values of which no bound is above its objective."""
    plan = draw(plans())
    seconds = st.floats(0, 1e6)
    names = st.text(max_size=8)
    point = st.builds(TracePoint, seconds, EXACT, EXACT, names)

    def layer(layer_id: int) -> LayerSolution:
        bound = draw(EXACT)
        return LayerSolution(
            layer_id=layer_id,
            objective=bound + draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(10**15, 7)])),
            max_load=draw(EXACT),
            mean_load=draw(EXACT),
            proof=draw(st.sampled_from([Proof("mean", bound, True), Proof(draw(names), bound, False, draw(names))])),
            stopped_by=draw(st.sampled_from([None, "gap", "time", "stalled", "interrupt"])),
            trace=tuple(draw(st.lists(point, max_size=2))),
            work=draw(st.dictionaries(names, seconds, max_size=3)),
        )

    objective = draw(st.sampled_from(["total", "mean", "worst"]))
    return Solution(plan, tuple(layer(layer_id) for layer_id in plan.layer_ids), objective, draw(seconds))
