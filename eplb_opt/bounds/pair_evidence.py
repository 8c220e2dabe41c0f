"""Two slots per GPU: counts below a max load, or evidence that there are none, which anybody can add up."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.gomory_cuts import DIVISOR, MARGIN, gomory_cuts
from eplb_opt.bounds.pair_lp import PairLP
from eplb_opt.bounds.pair_model import PairModel, Row
from eplb_opt.bounds.patterns import least_weight
from eplb_opt.certificates.pair_rows import MOST_SUM
from eplb_opt.errors import SolverError
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats
from eplb_opt.limits import Meter


def decide_pairs(instance: Instance, max_load: Fraction, meter: Meter) -> Feasibility:
    """Whether some plan is below `max_load`, by a linear program whose rows are rounded until it can tell.

    Each Chvátal-Gomory cut removes averages of counts. In the end counts are left, or nothing. Then the rows have
    multipliers with which no average obeys their sum, and a dynamic program in integers confirms that no counts do.
    """
    pair_model = PairModel.below(instance, max_load)
    if pair_model is None:
        return Feasibility(evidence={"argument": "counts"})
    program = PairLP(pair_model)
    while True:
        try:
            refuted = program.run(meter)
        except SolverError:
            return Feasibility()
        if refuted is not None:
            return Feasibility(evidence=evidence_of(program, refuted))
        if program.is_whole:
            counts = program.counts
            if sum(counts) == pair_model.slots:
                return Feasibility(counts=counts)
            if program.use_all_slots():
                continue
        cuts = [] if meter.exhausted else gomory_cuts(program, meter)
        if not cuts:
            return Feasibility()
        for row in cuts:
            program.add(row)


def evidence_of(program: PairLP, refuted: Floats) -> Mapping[str, Any] | None:
    """The rows with whole multipliers, if the sum of these excludes all counts."""
    pair_model, rows = program.pair_model, program.rows
    least, most = pair_model.least, pair_model.most
    multipliers = np.floor(refuted / max(refuted.max(initial=0.0), 1e-300) * DIVISOR).astype(np.int64)
    used = np.flatnonzero(multipliers).tolist()
    # Of a row by itself the checker only knows that a replica counts twice at most.
    if sum(int(multipliers[place]) * max(rows[place].largest, 2) for place in used) * pair_model.slots >= MOST_SUM:
        return None
    total = np.zeros_like(pair_model.replicas)
    for place in used:
        total += multipliers[place] * rows[place].weights
    right = sum(int(multipliers[place]) * rows[place].right for place in used)
    # The same for every slot, so that no weight is negative.
    shift = -min(0, int((total // pair_model.replicas).min()))
    table = np.zeros((least.size, int((most - least).max()) + 1), dtype=np.int64)
    table[pair_model.experts, pair_model.replicas - least[pair_model.experts]] = total + shift * pair_model.replicas
    if int(least_weight(table, least, most, pair_model.slots)) <= right + shift * pair_model.slots:
        return None
    return {"argument": "pairs", **_sum([(place, int(multipliers[place])) for place in used], rows)}


def _sum(multipliers: list[tuple[int, int]], rows: list[Row]) -> dict[str, Any]:
    """A sum of rows as a certificate has it, after all cuts that it needs."""
    needed = {place for place, _ in multipliers if isinstance(rows[place].evidence, Mapping)}
    pending = list(needed)
    while pending:
        evidence = rows[pending.pop()].evidence
        assert isinstance(evidence, Mapping)
        more = {place for place, _ in evidence["multipliers"] if isinstance(rows[place].evidence, Mapping)} - needed
        needed |= more
        pending += more
    number = {place: index for index, place in enumerate(sorted(needed))}

    def named(multipliers: list[tuple[int, int]]) -> dict[str, Any]:
        plain = [(rows[place].evidence, multiplier) for place, multiplier in multipliers if place not in number]
        cuts = [[number[place], multiplier] for place, multiplier in multipliers if place in number]
        return {"rows": [[*item, multiplier] for item, multiplier in plain], "cuts": cuts}

    rounded = [
        {**named(evidence["multipliers"]), "slots": evidence["slots"], "bases": evidence["bases"]}
        for evidence in (rows[place].evidence for place in sorted(needed))
        if isinstance(evidence, Mapping)
    ]
    return {**named(multipliers), "rounded": rounded, "divisor": DIVISOR, "margin": MARGIN}
