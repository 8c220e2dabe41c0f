"""Attack: no certificate that is accepted proves more than the optimum, and what is none is refused as such.

``python -m tests.attack_certificates --instances 300000 --seed 0`` ends with 1 if there was a violation. Instances are
layers of one window, or of several, whose optimum is known by brute force. Each is attacked with its genuine
certificates, with mutations of them, with random arguments for a bound just above the optimum, and with any JSON.
"""

from __future__ import annotations

import argparse
import copy
import random
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cache
from itertools import combinations, repeat
from math import inf, lcm, nan
from time import perf_counter
from typing import Any

import numpy as np

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from tests import forged_windows
from tests.oracle import brute_force, enumerate_rows
from tests.placements import Placements, TooManyError
from tests.random_instances import dispatched, random_instance, random_loads

BATCH = 100
# All counts of up to eight slots divide it, times numbers of up to four GPUs.
STEPS = lcm(*(count * gpus for count in range(1, 9) for gpus in range(1, 5)))
MOST_ROWS = 20_000
# Under other rules than the even one, where each is looked at source by source.
MOST_PLACEMENTS = 500
JUST_ABOVE = Fraction(10**40 + 1, 10**40)
MOST_SECONDS, MOST_BYTES = 5, 4 * 2**30
KINDS = [
    "mean",
    "nodes",
    "counts",
    "search",
    "fillings",
    "weighting",
    "pairs",
    "weightings",
    "partition",
    "windows",
    "window partition",
    "envelope",
]
ODD = [0, 1, -1, 2, 5, 10**6, 10**12, 10**40, -(10**40), 0.5, 1e300, -0.0, inf, nan, True, False, None, "", "1", "x"]
ODD += [
    "1/2",
    "0",
    "1/0",
    "-1",
    "9" * 400,
    "1" * 5000,
    "0.5",
    "1e9",
    "nan",
    "\u0661",
    [],
    {},
    [[]],
    [0],
    [0, 1],
    "mean",
]
ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, MemoryError, AttributeError, TimeoutError)


@dataclass(frozen=True)
class Case:
    """Loads, rules and objective, and what the best plan is worth."""

    windows: list[list[Fraction]]
    deployment: Deployment
    objective: str
    weights: list[Fraction] | None
    optimum: Fraction

    def check(self, certificate: Any) -> Fraction:
        """The bound, as the checker takes it."""
        return check(
            certificate,
            self.windows,
            asdict(self.deployment),
            objective=self.objective,
            window_weights=self.weights,
        )


@dataclass
class Tally:
    """Counts of what was tried, and of each kind of violation one example."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: dict[str, str] = field(default_factory=dict)

    def attack(self, kind: str, case: Case, certificate: Any) -> bool:
        """Whether a certificate is accepted; a violation if it should not be, or ends in another way."""
        accepted, wrong = False, ""
        signal.alarm(MOST_SECONDS)
        try:
            accepted = case.check(certificate) >= 0
            if Fraction(certificate["bound"]) > case.optimum:
                wrong = "accepted above the optimum"
        except CertificateError:
            pass
        except ERRORS as error:
            wrong = type(error).__name__
        finally:
            signal.alarm(0)
        self.counts[f"{kind}, {'accepted' if accepted else 'refused'}"] += 1
        if wrong:
            self.violated(f"{kind}: {wrong}", f"{certificate} for {case}")
        return accepted

    def violated(self, kind: str, example: str) -> None:
        """Count a violation and keep an example."""
        self.counts[f"VIOLATION {kind}"] += 1
        self.violations[kind] = example[:4000]


def prepare() -> None:
    """In a worker: errors for what takes more than some seconds, or gigabytes."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, resource.RLIM_INFINITY))


@cache
def plans(deployment: Deployment, num_experts: int) -> np.ndarray:
    """All plans but for the order of GPUs: which part of an expert is on a GPU, in `STEPS`; plans, GPUs, experts.

    Under other rules than the even one the order counts, and under the optimal split it is sets of GPUs, see
    `Placements`.
    """
    if deployment.dispatch != "even":
        placements = Placements(deployment, num_experts, MOST_PLACEMENTS)
        return placements.shares * STEPS // placements.factor
    size, instance = deployment.slots_per_gpu, Instance.from_loads([1] * num_experts, deployment)
    rows = {
        tuple(sorted(tuple(sorted(row[start : start + size])) for start in range(0, len(row), size)))
        for row in enumerate_rows(instance)
    }
    copies = np.array([[[gpu.count(e) for e in range(num_experts)] for gpu in row] for row in sorted(rows)])
    return copies * (STEPS // copies.sum(axis=1, keepdims=True))


def optimum_of(instance: Instance, objective: str, weights: list[Fraction] | None) -> Fraction:
    """The best objective over all `plans`; without load 0, and of windows without load nothing."""
    table = plans(instance.deployment, instance.num_experts)
    if max(map(max, instance.weights)) * STEPS * instance.deployment.num_slots >= 2**62:
        table = table.astype(object)
    tops = [(table @ np.array(window, dtype=table.dtype)).max(axis=1).astype(object) for window in instance.weights]
    if objective == "total":
        return Fraction(tops[0].min(), STEPS) * instance.unit
    totals = [sum(window) for window in instance.weights]
    common = lcm(*totals) * instance.deployment.num_gpus
    imbalances = [top * (common // total) for top, total in zip(tops, totals, strict=True)]
    if weights is None:
        return Fraction(np.max(imbalances, axis=0).min(), STEPS * lcm(*totals))
    value = sum(imbalance * weight for imbalance, weight in zip(imbalances, weights, strict=True)).min()
    return Fraction(value) / (STEPS * lcm(*totals) * sum(weights))


def leaf(chance: random.Random, loads: list[Fraction], scale: Fraction) -> dict[str, Any]:
    """An argument about slot loads: counts, or a weighting with weights near those that are of use, or far."""
    kind = chance.choice([*KINDS[:6], "weighting", "weighting", "pairs"])
    if kind == "pairs":
        rounded: list[dict[str, Any]] = []
        for number in range(chance.randint(0, 4)):
            bases = [[expert, chance.randint(1, 3)] for expert in range(len(loads)) if chance.random() < 0.4]
            rounded.append({**row_sum(chance, len(loads), number), "slots": chance.randint(-3, 3), "bases": bases})
        divisor = chance.choice([1, 2, 2, 3, 3, 4, 5, 6, 12])
        divided = {"rounded": rounded, "divisor": divisor, "margin": chance.choice([0, 0, 0, 1])}
        if chance.random() < 0.5:
            said = tree(chance, len(loads), 2, lambda: row_sum(chance, len(loads), len(rounded)))
            return {"argument": kind, "parts": said, **divided}
        return {"argument": kind, **row_sum(chance, len(loads), len(rounded)), **divided}
    if kind == "fillings" and chance.random() < 0.7:
        grain, noise = chance.choice([1, scale / 7 or 1, scale / 40 or 1]), chance.choice([0, 0, 1, 3])
        named = [(expert, count) for expert in range(len(loads)) for count in range(1, 6)]
        rows = [[e, r, int(loads[e] / r / grain) + chance.randint(-noise, noise)] for e, r in named]
        return {"argument": kind, "weights": rows}
    if kind != "weighting":
        return {"argument": kind}
    return weighting(chance, loads, scale)


def weighting(chance: random.Random, loads: list[Fraction], scale: Fraction) -> dict[str, Any]:
    """Weights near those that are of use, or far."""
    scale = (scale or Fraction(1)) * chance.choice([1, 1, 1, Fraction(9, 10), Fraction(11, 10), 2, Fraction(1, 7)])
    buckets = chance.randint(1, 40)
    starts, weights = steps(chance, loads, scale, buckets)
    return {"argument": "weighting", "buckets": buckets, "scale": str(scale), "starts": starts, "weights": weights}


def steps(chance: random.Random, loads: list[Fraction], scale: Fraction, buckets: int) -> tuple[list[int], list[int]]:
    """Starts, often at loads that slots can have, and weights."""
    real = {int(buckets * load / count / scale) for load in loads for count in (1, 2, 3, 4)}
    starts = sorted(chance.sample(sorted(real), min(len(real), chance.randint(1, 6))))
    if chance.random() < 0.3:
        starts = sorted({chance.randint(0, buckets) for _ in range(4)})
    grain, noise = chance.choice([1, 2, 3, 5]), chance.choice([0, 0, 1, 5])
    weights = [start // grain + chance.randint(0, noise) for start in starts]
    if chance.random() < 0.2:
        weights = [chance.randint(0, 40) for _ in starts]
    return starts, weights


def weightings(chance: random.Random, loads: list[Fraction], scale: Fraction, depth: int) -> dict[str, Any]:
    """Parts of the counts with some weightings for them."""
    whole = weighting(chance, loads, scale)
    real, buckets = Fraction(whole["scale"]), whole["buckets"]
    several = [(whole.pop("starts"), whole.pop("weights"))]
    several += [steps(chance, loads, real, buckets) for _ in range(chance.randint(0, 3))]
    parts = tree(chance, len(loads), depth, lambda: [chance.randrange(len(several))])
    return whole | {"argument": "weightings", "weightings": [list(some) for some in several], "parts": parts}


def tree(chance: random.Random, experts: int, depth: int, said: Callable[[], Any]) -> list[Any]:
    """Parts of the counts in the order of a certificate, with what is said of each, now and then broken."""
    if not depth or chance.random() < 0.4:
        return [said()]
    number = 2 if chance.random() < 0.97 else chance.choice([1, 3])
    node = [chance.randrange(experts), chance.randint(0, 4)]
    return [node] + [part for _ in range(number) for part in tree(chance, experts, depth - 1, said)]


def row_sum(chance: random.Random, experts: int, rounded: int) -> dict[str, Any]:
    """Rows of pairs with multipliers, and of so many rounded ones."""
    rows = [[chance.randrange(experts), chance.randint(1, 4), chance.randint(0, 3)] for _ in range(4)]
    cuts = [[number, chance.randint(0, 3)] for number in range(rounded) if chance.random() < 0.7]
    return {"rows": rows[: chance.randint(1, 4)], "cuts": cuts}


def random_argument(chance: random.Random, case: Case, bound: Fraction, depth: int = 3) -> dict[str, Any]:
    """Any argument of the right form about one window, often one that proves `bound` or nearly."""
    loads, deployment = case.windows[0], case.deployment
    kind = chance.random()
    if depth and kind < 0.3:
        return weightings(chance, loads, bound, depth)
    if depth and kind < 0.5:
        return {"argument": "partition", "sets": list(node_arguments(chance, loads, deployment, bound))}
    return leaf(chance, loads, bound)


def node_arguments(
    chance: random.Random, loads: list[Fraction], deployment: Deployment, bound: Fraction
) -> Iterator[list[Any]]:
    """Sets of groups with an argument that refutes each, most of those that have one; some that do not."""
    nodes, groups = deployment.binding_nodes, deployment.binding_groups
    size = len(loads) // groups
    node = Deployment(
        deployment.gpus_per_node, deployment.slots_per_node, policy="global", distinct=deployment.distinct
    )
    for taken in combinations(range(groups), groups // nodes):
        some = [loads[e] for group in taken for e in range(group * size, (group + 1) * size)]
        argument = leaf(chance, some, bound)
        try:
            check({**argument, "bound": str(bound)}, [some], asdict(node))
        except CertificateError:
            if chance.random() < 0.98:
                continue
        yield [list(taken), argument]


def hostile(chance: random.Random, bound: Fraction, depth: int = 4) -> Any:
    """Any JSON, often with the keys that an argument has, and often with values that make sense."""
    if not depth or chance.random() < 0.1:
        return chance.choice(ODD)
    if chance.random() < 0.1:
        return [hostile(chance, bound, depth - 1) for _ in range(chance.randint(0, 3))]
    kind, rate = chance.choice(KINDS), chance.choice([0, 0, 0.03, 0.2])
    numbers = chance.choice([[], [0], [3], [1, 2], [0, 5, 9]])
    options: dict[str, Any] = {"argument": kind, "bound": str(bound)}
    if kind == "weighting":
        scale, buckets = chance.choice([str(bound), "1", "1/99"]), chance.choice([1, 10, 30, 10**9, 10**10])
        options |= {"starts": numbers, "weights": numbers, "scale": scale, "buckets": buckets}
    elif kind == "pairs":
        row = {"rows": [numbers, [0, 1, 1]], "cuts": [numbers[:2]]}
        rounded = [{**row, "slots": chance.choice(ODD), "bases": [numbers[:2], [0, 1]]}]
        options |= {**row, "rounded": rounded, "divisor": chance.choice(ODD), "margin": chance.choice(ODD)}
    elif kind == "fillings":
        options |= {"weights": chance.choice([[numbers], [[0, 1, number] for number in numbers], ODD])}
    elif kind not in ("mean", "nodes", "counts", "envelope"):
        low, high = (hostile(chance, bound, depth - 1) for _ in range(2))
        options |= {"expert": 0, "most": 1, "low": low, "high": high, "windows": [low, high]}
        options |= {"sets": [[[0], low], [[0, 1], high]], "nodes": [[[0], [low, low]], [[0, 1], [high, high]]]}
    return {key: chance.choice(ODD) if chance.random() < rate else value for key, value in options.items()}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a JSON value with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def mutate(chance: random.Random, certificate: Any) -> Any:
    """A copy with a change or two: numbers by a little, lists cut or doubled, keys removed, parts swapped."""
    certificate = copy.deepcopy(certificate)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        known = list(places(certificate))
        if not known:
            break
        (box, key), (other, name) = chance.choice(known), chance.choice(known)
        value = box[key]
        if chance.random() < 0.1 or isinstance(value, dict):
            box[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(value)
        elif chance.random() < 0.1:
            box.pop(key)
        elif isinstance(value, int):
            box[key] = chance.choice([value + 1, value - 1, 2 * value, value // 2, 0, -value])
        elif isinstance(value, list) and value:
            value.append(copy.deepcopy(chance.choice(value))) if chance.random() < 0.3 else chance.shuffle(value)
        elif isinstance(value, str) and value[:1].isdigit():
            box[key] = str(Fraction(value) * chance.choice([JUST_ABOVE, 2 - JUST_ABOVE, Fraction(1001, 1000), 2, 0]))
        elif isinstance(value, str):
            box[key] = chance.choice(KINDS)
    return certificate


def one_window(instance: Instance) -> Case:
    """The case of a layer of one window."""
    loads = [weight * instance.unit for weight in instance.weights[0]]
    few = instance.num_experts**instance.deployment.num_slots <= MOST_ROWS
    listed = few or instance.deployment.dispatch != "even"
    optimum = optimum_of(instance, "total", None) if listed else brute_force(instance)
    return Case([loads], instance.deployment, "total", None, optimum)


def attack_one_window(tally: Tally, chance: random.Random, instance: Instance) -> None:
    """Genuine certificates, random ones at and just above the optimum, and mutations of all that were accepted."""
    case, known = one_window(instance), []
    best = Fraction(0)
    for proof in quick_bounds(instance):
        if proof.bound > case.optimum:
            tally.violated("a bound above the optimum", f"{proof} {proof.bound} for {case}")
        certificate = {**(proof.certified or {}), "bound": str(proof.bound)}
        needed = proof.argument != "slack" or proof.bound > best
        if not tally.attack("genuine" if needed else "genuine, no new bound", case, certificate) and needed:
            tally.violated("genuine: refused", f"{certificate} for {case}")
        best = max(best, proof.bound)
        known.append(certificate)
    above = str(case.optimum * JUST_ABOVE or Fraction(1, 10**9))
    for _ in range(5):
        argument = random_argument(chance, case, chance.choice([case.optimum, Fraction(above)]))
        if tally.attack("random at the optimum", case, {**argument, "bound": str(case.optimum)}) and case.optimum:
            known.append({**argument, "bound": str(case.optimum)})
        tally.attack("random above the optimum", case, {**argument, "bound": above})
    for _ in range(8):
        tally.attack("mutated", case, mutate(chance, chance.choice(known[-4:])))


def attack_windows(tally: Tally, chance: random.Random, instance: Instance, objective: str) -> None:
    """Genuine certificates of several windows, mutations, and mutations that claim more than the optimum."""
    weights = [Fraction(chance.randint(1, 9), chance.randint(1, 4)) for _ in instance.weights]
    given = weights if objective == "mean" else None
    windows = [[weight * instance.unit for weight in window] for window in instance.weights]
    case = Case(windows, instance.deployment, objective, given, optimum_of(instance, objective, given))
    instant = window_bounds(instance, objective, weights)
    lists = [proof.evidence["nodes"] for proof in instant if proof.evidence and "nodes" in proof.evidence]
    attack_nodes(tally, chance, case, next(iter(lists), []))
    for proof in (*instant, *forged_windows.found_proofs(instance, objective, given, chance.randrange(100))):
        if proof.bound > case.optimum:
            tally.violated("a bound above the optimum of windows", f"{proof} {proof.bound} for {case}")
        certificate = {**(proof.evidence or {}), "bound": str(proof.bound)}
        if not tally.attack("genuine of windows", case, certificate):
            tally.violated("genuine of windows: refused", f"{certificate} for {case}")
        for _ in range(8):
            changed = mutate(chance, certificate)
            tally.attack("mutated of windows", case, changed)
            if isinstance(changed, dict):
                tally.attack("windows above the optimum", case, changed | {"bound": str(case.optimum * JUST_ABOVE)})


def attack_nodes(tally: Tally, chance: random.Random, case: Case, lists: list[Any]) -> None:
    """A search of all windows, and random arguments about nodes, at the optimum and just above it."""
    if case.deployment.dispatch == "even":
        search = {"argument": "search", "bound": str(case.optimum)}
        if not tally.attack("search of windows", case, search):
            tally.violated("search of windows: refused", f"{search} for {case}")

    def holds(certificate: Any) -> bool:
        with suppress(CertificateError):
            case.check(certificate)
            return True
        return False

    for _ in range(3):
        for kind, bound in (("at", case.optimum), ("above", case.optimum * JUST_ABOVE)):
            argument = forged_windows.random_argument(chance, case.deployment, lists, len(case.windows), bound, holds)
            tally.attack(f"random of windows {kind} the optimum", case, {**argument, "bound": str(bound)})


def any_instance(numbers: np.random.Generator, chance: random.Random, **limits: int) -> Instance:
    """A random instance, one in four under another rule than the even one."""
    while True:
        instance = random_instance(numbers, **limits)
        if chance.random() < 0.75:
            return instance
        instance = dispatched(numbers, instance)
        try:
            plans(instance.deployment, instance.num_experts)
            return instance
        except TooManyError:
            pass


def batch_of(seed: int, batch: int) -> Tally:
    """One batch of instances, a tenth of them with several windows, and some JSON."""
    numbers, chance, tally = np.random.default_rng((seed, batch)), random.Random(f"{seed} {batch}"), Tally()
    for _ in range(BATCH * 9 // 10):
        attack_one_window(tally, chance, any_instance(numbers, chance))
    several = 0
    while several < BATCH // 10:
        small = any_instance(numbers, chance, max_slots=chance.choice([4, 6, 8]))
        rows = [random_loads(numbers, small.num_experts).tolist() for _ in range(chance.randint(2, 3))]
        rows = [row for row in rows if any(row)]
        if len(rows) > 1 and small.num_experts**small.deployment.num_slots <= MOST_ROWS:
            instance = Instance.from_loads(rows, small.deployment, small.streams)
            attack_windows(tally, chance, instance, chance.choice(["mean", "worst"]))
            several += 1
    tally.counts["instances"] += BATCH
    attack_with_json(tally, chance, small)
    return tally


def attack_with_json(tally: Tally, chance: random.Random, instance: Instance) -> None:
    """Any JSON as a certificate, which may cost neither much time nor much memory."""
    case = one_window(instance)
    if not case.optimum:
        return
    unit = sum(case.windows[0]) / instance.deployment.num_gpus
    several = Case(case.windows * 2, case.deployment, "worst", None, case.optimum / unit)
    for attacked in [case, several] * (BATCH // 2):
        bound = attacked.optimum * chance.choice([Fraction(1, 2), 1, 2])
        tally.attack("any JSON", attacked, hostile(chance, bound))


def main() -> int:
    """Run the attack; 1 where it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    batches, begin, total = -(-arguments.instances // BATCH), perf_counter(), Tally()
    with ProcessPoolExecutor(arguments.workers, initializer=prepare) as pool:
        for done, tally in enumerate(pool.map(batch_of, repeat(arguments.seed), range(batches)), 1):
            total.counts += tally.counts
            total.violations |= tally.violations
            if done % 100 == 0:
                print(f"{done * BATCH:,} instances, {perf_counter() - begin:.0f} s", file=sys.stderr)
    for kind, count in sorted(total.counts.items()):
        print(f"{count:12,} {kind}")
    for kind, example in sorted(total.violations.items()):
        print(f"\n{kind}\n{example}")
    print(f"{perf_counter() - begin:.0f} s, {len(total.violations)} kinds of violation")
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
