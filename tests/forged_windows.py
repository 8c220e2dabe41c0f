"""Arguments about several windows: genuine ones of what proves nodes, and random ones that prove a bound or nearly."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from eplb_opt.bounds.methods import PARTITION, WINDOWS, window_nodes_apply
from eplb_opt.bounds.prove import PROVERS
from eplb_opt.bounds.window_nodes import WindowNodes
from eplb_opt.bounds.window_weightings import prove_by_window_weightings
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof

NOTHING = {"argument": "mean", "bound": "0"}


def found_proofs(instance: Instance, objective: str, weights: Sequence[Fraction] | None, seed: int) -> list[Proof]:
    """Bounds with certificates of what proves several windows at once, of windows that all have some load."""
    deployment, layer = instance.deployment, instance.in_mean_loads()
    if deployment.dispatch != "even":
        return []
    proofs: list[Proof] = []
    incumbent = Incumbent(layer, Objective() if objective == "worst" else Objective(objective, tuple(weights or ())))
    incumbent.offer_plan(greedy(layer.total()), "greedy")
    incumbent.tell = lambda found: proofs.append(found.proof) if found.proof else None
    meter = Meter(Limits(60.0, seed=seed, work=0.3))
    if deployment.binding_nodes == 1:
        prove_by_window_weightings(incumbent, meter)
    elif objective == "worst":
        PROVERS[PARTITION](incumbent, meter)
    elif window_nodes_apply(layer):
        WindowNodes(incumbent, meter).run()
        PROVERS[WINDOWS](incumbent, meter)
    return [proof for proof in proofs if proof.checked]


def random_argument(
    chance: random.Random,
    deployment: Deployment,
    lists: Sequence[Any],
    windows: int,
    bound: Fraction,
    holds: Callable[[Any], bool],
) -> dict[str, Any]:
    """A search, or what is said of nodes, most of it true: `lists` are of single windows."""
    nodes, groups = deployment.binding_nodes, deployment.binding_groups
    if nodes == 1 or chance.random() < 0.1:
        return {"argument": "search"}
    said = [*lists] if chance.random() < 0.9 else []
    for taken in combinations(range(groups), groups // nodes):
        for entry in _entries(chance, list(taken), lists, windows, bound):
            everything = [[list(other), [NOTHING] * windows] for other in combinations(range(groups), groups // nodes)]
            one = {"argument": "window partition", "nodes": [*everything, entry], "bound": "0"}
            if chance.random() < 0.02 or holds(one):
                said.append(entry)
    return {"argument": "window partition", "nodes": said}


def _entries(
    chance: random.Random, taken: list[int], lists: Sequence[Any], windows: int, bound: Fraction
) -> Iterator[list[Any]]:
    """Some certificates of all windows of a node, with what other nodes have or without."""
    hot = [[Fraction(one["bound"]) for one in certificates] for _, certificates in lists] or [[Fraction(1)] * windows]
    for _ in range(chance.randint(0, 2)):
        kind = chance.choice(["search", "search", "envelope", "windows"])
        entry: dict[str, Any] = {"argument": kind, "bound": str(bound)}
        if kind == "windows":
            entry["windows"] = [chance.choice([NOTHING, {"argument": "counts", "bound": str(bound)}])] * windows
        if chance.random() < 0.7:
            rows = [chance.choice([Fraction(1), *column]) for column in zip(*hot, strict=True)]
            lower = [low * chance.choice([1, 1, 1, Fraction(9, 10), Fraction(11, 10)]) for low in rows]
            entry["lower"] = list(map(str, lower))
        yield [taken, entry]
