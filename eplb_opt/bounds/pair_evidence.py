"""Evidence that no counts obey the rows of pairs, which anybody can add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eplb_opt.bounds.gomory_cuts import DIVISOR, MARGIN
from eplb_opt.bounds.pair_lp import PairLP
from eplb_opt.bounds.pair_model import Row
from eplb_opt.bounds.patterns import least_weight
from eplb_opt.certificates.layer import Ranges
from eplb_opt.certificates.pair_rows import MOST_SUM
from eplb_opt.kernels.compiler import Floats


class Split(NamedTuple):
    """A part of all counts in two: up to `most` replicas of an expert, which comes next, and more."""

    expert: int
    most: int


class Sum(NamedTuple):
    """Places of rows and whole multipliers: a sum that no counts of a part obey; empty where the part has no counts."""

    terms: tuple[tuple[int, int], ...] = ()


def refuting_sum(program: PairLP, refuted: Floats, ranges: Ranges) -> Sum | None:
    """The rows of a program with whole multipliers, if their sum excludes all counts within ranges."""
    pair_model, rows = program.pair_model, program.rows
    least, most = (np.array(counts, dtype=np.int64) for counts in ranges)
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
    weights = total + shift * pair_model.replicas
    inside = pair_model.within(ranges)
    experts, replicas = pair_model.experts[inside], pair_model.replicas[inside]
    table = np.zeros((least.size, int((most - least).max()) + 1), dtype=np.int64)
    table[experts, replicas - least[experts]] = weights[inside]
    if int(least_weight(table, least, most, pair_model.slots)) <= right + shift * pair_model.slots:
        return None
    return Sum(tuple((place, int(multipliers[place])) for place in used))


def evidence_of(tree: Sequence[Split | Sum], rows: Sequence[Row]) -> dict[str, Any]:
    """What excludes all counts, as a certificate has it: sums of rows for each part, after all cuts that these need."""
    needed: set[int] = set()
    pending = [place for said in tree if isinstance(said, Sum) for place, _ in said.terms]
    while pending:
        place = pending.pop()
        evidence = rows[place].evidence
        if place not in needed and isinstance(evidence, Mapping):
            needed.add(place)
            pending += [other for other, _ in evidence["multipliers"]]
    number = {place: index for index, place in enumerate(sorted(needed))}

    def named(terms: Sequence[tuple[int, int]]) -> dict[str, Any]:
        plain = [(rows[place].evidence, multiplier) for place, multiplier in terms if place not in number]
        cuts = [[number[place], multiplier] for place, multiplier in terms if place in number]
        return {"rows": [[*item, multiplier] for item, multiplier in plain], "cuts": cuts}

    rounded = [
        {**named(evidence["multipliers"]), "slots": evidence["slots"], "bases": evidence["bases"]}
        for evidence in (rows[place].evidence for place in sorted(needed))
        if isinstance(evidence, Mapping)
    ]
    if len(tree) == 1 and isinstance(tree[0], Sum):
        sums = named(tree[0].terms)
    else:
        sums = {"parts": [named(said.terms) if isinstance(said, Sum) else list(said) for said in tree]}
    return {"argument": "pairs", **sums, "rounded": rounded, "divisor": DIVISOR, "margin": MARGIN}
