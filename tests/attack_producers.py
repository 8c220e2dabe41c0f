"""Attack on all that finds proofs: no evidence that the checker refuses, and no bound above the optimum.

``python -m tests.attack_producers --seconds 3600 --seed 0`` asks every producer for evidence about random tiny layers,
whose optima are known from all their placements, at max loads below, at and above the optimum, and ends with 1 at the
first violation. Evidence is handed to the checker as it would be read from a file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import cycle, product
from time import perf_counter
from typing import Any

import numpy as np

from eplb_opt.bounds.branching import refute_by_branching
from eplb_opt.bounds.buckets import Buckets
from eplb_opt.bounds.configuration import ConfigurationLP
from eplb_opt.bounds.filling_weights import filling_weights
from eplb_opt.bounds.methods import window_nodes_apply
from eplb_opt.bounds.pair_branching import PairTree
from eplb_opt.bounds.pattern_enumeration import PatternEnumeration, filling_evidence
from eplb_opt.bounds.prove import prove
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.search_evidence import search_evidence
from eplb_opt.bounds.window_nodes import WindowNodes
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.heuristics.planner import first_plan
from eplb_opt.heuristics.two_slots import pair_slots, two_slots_apply
from eplb_opt.improvement import Improvement
from eplb_opt.incumbent import NO_BOUND, Incumbent
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective
from eplb_opt.proof import REFUSED, Proof
from eplb_opt.verify import max_loads
from tests.attack_bound import DISPATCHES, MOST_DISPATCHED, random_deployment, under
from tests.placements import Placements, TooManyError
from tests.random_instances import random_loads

# Slots per GPU, distinct, nodes that groups are bound to (one: global), windows.
KINDS = list(product((1, 2, 2, 3, 4), (True, False), (1, 1, 2), (1, 1, 3)))
MOST_PLACEMENTS, MOST_SLOTS, MOST_EXPERTS = 3_000, 12, 8
# Layers on one deployment, seconds for a question, and of work for a proof.
BATCH, PER_QUESTION, WORK = 20, 5.0, (0.02, 0.02, 0.02, 0.3)
NEARLY = [Fraction(1, 2), Fraction(9, 10), Fraction(999, 1000), 1 - Fraction(1, 10**12)]
NEARLY += [Fraction(1), 1 + Fraction(1, 10**12), Fraction(1001, 1000), Fraction(11, 10), Fraction(3, 2)]


class ViolationError(Exception):
    """Evidence that is refused, or a bound that is wrong."""


@dataclass
class Layer:
    """A layer with its optimum, and the counts of what was asked about it.

    ``objective`` is ``"total"`` for one window, in tokens, and else that of several windows.
    """

    instance: Instance
    objective: str
    optimum: Fraction
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, producer: str, proof: Proof) -> None:
        """Look at a bound that was handed out."""
        if proof.bound > self.optimum:
            raise ViolationError(f"{producer}: {proof} {proof.bound} is above the optimum: {self}")
        if REFUSED in proof.by:
            raise ViolationError(f"{producer}: {proof} {proof.bound}: {self}")
        if proof.checked:
            self.take_evidence(producer, proof.certified, proof.bound)
        else:
            self.counts[f"{producer}: {proof}"] += 1

    def take_evidence(self, producer: str, evidence: Mapping[str, Any] | None, bound: Fraction) -> None:
        """Look at evidence for a bound."""
        if bound > self.optimum:
            raise ViolationError(f"{producer}: evidence for {bound} above the optimum: {self}")
        if evidence is None:
            raise ViolationError(f"{producer}: no evidence for {bound}: {self}")
        certificate = json.loads(json.dumps({**evidence, "bound": str(bound)}))
        try:
            self.check(certificate)
        except CertificateError as error:
            raise ViolationError(f"{producer}: {error}: {certificate} for {self}") from error
        self.counts[f"{producer}: {evidence['argument']}"] += 1

    def check(self, certificate: Any) -> None:
        """Hand a certificate to the checker of this objective."""
        windows = [[weight * self.instance.unit for weight in window] for window in self.instance.weights]
        check(certificate, windows, asdict(self.instance.deployment), objective=self.objective)


def layers(random: np.random.Generator) -> Iterator[Layer]:
    """Random layers of each of `KINDS` in turn."""
    for size, distinct, nodes, windows in cycle(KINDS):
        try:
            deployment, experts = random_deployment(random, size, distinct, nodes, MOST_SLOTS, MOST_EXPERTS)
            deployment = under(random, deployment, str(random.choice(DISPATCHES)))
            most = MOST_PLACEMENTS if deployment.dispatch == "even" else MOST_DISPATCHED
            placements = Placements(deployment, experts, most)
        except TooManyError:
            continue
        objective = "total" if windows == 1 else str(random.choice(["mean", "worst"]))
        loads = random_loads(random, (windows, BATCH, experts)).transpose(1, 0, 2)
        for values, optimum in zip(loads, placements.optima(loads, objective), strict=True):
            instance = Instance.from_loads(values, deployment)
            yield Layer(instance if windows == 1 else instance.loaded(), objective, optimum)


def attack(layer: Layer, random: np.random.Generator) -> None:
    """Ask every producer that is for such a layer."""
    instance, seed = layer.instance, int(random.integers(2**31))
    if layer.objective != "total":
        attack_windows(layer, seed)
        return
    known = Fraction(0)
    for proof in quick_bounds(instance):
        # The last claims no more than the best before where it has nothing to say.
        if proof.argument != "slack" or proof.bound > known:
            layer.take("instant", proof)
        known = max(known, proof.bound)
    if instance.deployment.dispatch != "even":
        # All others are about the even split.
        return
    for max_load in asked(layer, random):
        if two_slots_apply(instance):
            ask_pairs(layer, max_load, seed)
        if instance.deployment.binding_nodes == 1:
            ask_weightings(layer, max_load, int(random.choice([1, 8, 200])), seed)
            ask_fillings(layer, max_load)
    for bound in (layer.optimum, layer.optimum * NEARLY[int(random.integers(len(NEARLY)))]):
        evidence = search_evidence(instance, bound) if bound else None
        if evidence is not None:
            layer.take_evidence("search", evidence, bound)
    prove_from_nothing(layer, instance, seed)


def asked(layer: Layer, random: np.random.Generator) -> list[Fraction]:
    """Max loads near the optimum, that of a plan, and sums of what slots can carry."""
    instance = layer.instance
    counts = range(1, instance.max_replicas + 1)
    slots = [weight * instance.unit / count for weight in instance.weights[0] for count in counts]
    drawn = random.integers(len(slots), size=(30, instance.deployment.slots_per_gpu))
    sums = sorted(sum((slots[place] for place in places), Fraction(0)) for places in drawn.tolist())
    below = [value for value in sums if value <= layer.optimum]
    near = [layer.optimum * NEARLY[int(place)] for place in random.integers(len(NEARLY), size=2)]
    whole = int(max(instance.mean_loads))
    values = {layer.optimum, max_loads(greedy(instance).tolist(), instance)[0], *near, *below[-2:], *sums[:2]}
    values |= {Fraction(whole), Fraction(whole + 1), Fraction(whole + int(random.integers(2, 5)))}
    return sorted(value for value in values if value > 0)


def ask_pairs(layer: Layer, max_load: Fraction, seed: int) -> None:
    """Whether there is a plan below a max load, of two slots per GPU."""
    verdict = PairTree(layer.instance, max_load).decide(Meter(Limits(PER_QUESTION, 1, seed)))
    if verdict.evidence is not None:
        layer.take_evidence("pairs", verdict.evidence, max_load)
    elif verdict.counts is None:
        layer.counts["pairs: left open"] += 1
    elif max_loads(pair_slots(layer.instance, verdict.counts).tolist(), layer.instance)[0] >= max_load:
        raise ViolationError(f"pairs: {verdict} has no plan below {max_load}: {layer}")


def ask_fillings(layer: Layer, max_load: Fraction) -> None:
    """Whether fillings, by a search or by weights, refute what is below a max load."""
    if layer.instance.deployment.slots_per_gpu == 1:
        return
    meter = Meter(Limits(PER_QUESTION))
    evidence = filling_evidence(layer.instance, max_load, meter)
    if evidence is not None:
        layer.take_evidence("fillings", evidence, max_load)
    elif max_load <= layer.optimum:
        layer.counts["fillings: left open"] += 1
    patterns = PatternEnumeration.within(layer.instance, max_load * (1 - Fraction(1, 10**6)))
    if patterns is not None and len(patterns.patterns):
        weights = filling_weights(patterns.experts, patterns.replicas, patterns.patterns, meter)
        if weights is not None:
            layer.take_evidence(
                "filling weights", {"argument": "fillings", "weights": weights}, max_load * (1 - Fraction(1, 10**6))
            )
            layer.counts["filling weights found"] += 1


def ask_weightings(layer: Layer, max_load: Fraction, most_parts: int, seed: int) -> None:
    """Whether dual_functions refute a max load, and anything below it."""
    for below in (True, False):
        buckets = Buckets(layer.instance, max_load, below)
        bound = max_load if below else layer.instance.next_max_load(max_load)
        if not buckets.ranges[0].size:
            layer.take_evidence("ranges", {"argument": "counts"}, bound)
            continue
        meter = Meter(Limits(PER_QUESTION, 1, seed))
        evidence = refute_by_branching(ConfigurationLP(buckets), most_parts, meter).evidence
        if evidence is not None:
            layer.take_evidence("weightings", evidence, bound)


def attack_windows(layer: Layer, seed: int) -> None:
    """Instant bounds of several windows, a search of all of them, and what nodes allow."""
    if layer.instance.num_windows == 1:
        return
    for proof in window_bounds(layer.instance, layer.objective):
        layer.take("windows", proof)
    deployment, objective = layer.instance.deployment, Objective(layer.objective)
    if deployment.dispatch != "even":
        return
    for bound in (layer.optimum, layer.optimum * NEARLY[seed % len(NEARLY)]):
        evidence = search_evidence(layer.instance, bound, objective)
        if evidence is not None:
            layer.take_evidence("search of windows", evidence, bound)
        elif bound <= layer.optimum:
            layer.counts["search of windows: left open"] += 1
    if deployment.binding_nodes == 1:
        return
    if layer.objective == "worst":
        prove_from_nothing(layer, layer.instance.in_mean_loads(), seed)
    elif window_nodes_apply(layer.instance):
        incumbent = Incumbent(layer.instance.in_mean_loads(), objective)
        incumbent.offer_plan(greedy(incumbent.instance.total()), "start")
        WindowNodes(incumbent, Meter(Limits(60.0, 1, seed, WORK[-1]))).run()
        layer.take("window nodes", incumbent.proof)


def prove_from_nothing(layer: Layer, instance: Instance, seed: int) -> None:
    """What the method that fits reports, from the first plan and no bound, or the instant bounds."""
    work = WORK[seed % len(WORK)]
    for start in (NO_BOUND, Proof("mean", max(instance.mean_loads), checked=True)):
        found: list[Improvement] = []
        incumbent = Incumbent(instance)
        incumbent.offer_plan(first_plan(instance), "start")
        incumbent.offer_proof(start)
        incumbent.tell = found.append
        prove(incumbent, Meter(Limits(60.0, 1, seed, work)))
        for item in found:
            if item.proof is not None:
                layer.take("prove", item.proof)
        if incumbent.value < layer.optimum:
            raise ViolationError(f"prove: a plan of {incumbent.value} is below the optimum: {layer}")


def main() -> int:
    """Run the attack, print what was counted, and say whether there was no violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--go-on", action="store_true", help="count violations by kind instead of ending at the first")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    begin, said, total = perf_counter(), perf_counter(), Counter[str]()
    for layer in layers(random):
        try:
            attack(layer, random)
        except ViolationError as violation:
            print(f"violation: {violation}", flush=True)
            total["VIOLATIONS"] += 1
            if not options.go_on:
                break
        total += layer.counts
        total["layers"] += 1
        if perf_counter() - begin > options.seconds:
            break
        if perf_counter() - said > 60.0:
            said = perf_counter()
            print(f"{said - begin:8.0f} s  {dict(sorted(total.items()))}", flush=True)
    print(f"{perf_counter() - begin:8.0f} s  {dict(sorted(total.items()))}")
    return 1 if total["VIOLATIONS"] else 0


if __name__ == "__main__":
    sys.exit(main())
