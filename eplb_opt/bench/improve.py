"""Improve: solve an instance of the library again, and keep the better plan, the better bound and who proved it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from eplb_opt.bench.instances import checked, variables_of
from eplb_opt.bench.run import Settings
from eplb_opt.certify import Certified
from eplb_opt.errors import SolverError
from eplb_opt.exact import apart
from eplb_opt.improvement import Improvement
from eplb_opt.incumbent import NO_BOUND
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.limits import Limits
from eplb_opt.named_instance import NamedInstance
from eplb_opt.progress import Progress
from eplb_opt.run.pool import POOL
from eplb_opt.run.task import ProofTask
from eplb_opt.solution import Solution
from eplb_opt.solve import solve
from eplb_opt.verify import max_loads

# Who is asked for another proof, and how large the whole model may be for that.
WITNESSES = ("pulp:HiGHS", "cpsat")
_MOST_VARIABLES = 1500


@dataclass(frozen=True)
class Improved:
    """An instance after a run: what is known now, and in words what is better than before; empty if nothing is."""

    named: NamedInstance
    solution: Solution
    seconds: float
    news: str

    @property
    def layer(self) -> LayerSolution:
        """What is known of the only layer."""
        return self.solution.layers[0]


def improve(
    named: NamedInstance,
    known: Solution | None,
    settings: Settings,
    progress: Callable[[Progress], None] | None = None,
) -> Improved:
    """Solve an instance from the best that is known of it, and check what is the best then.

    Raises
    ------
    SolverError
        What is known is wrong: a value that is not the plan's, a certificate that does not hold, or provers that
        contradict each other.
    """
    begin = monotonic()
    found = _solve(named, known, settings, progress)
    if found.interrupted:
        raise KeyboardInterrupt
    if known is None:
        better_plan = better_bound = True
    else:
        (old,), (new,) = known.layers, found.layers
        better_plan = new.objective < old.objective
        # A bound that can be checked is better than the same on somebody's word.
        better_bound = (new.lower_bound, new.proof.certified is not None) > (
            old.lower_bound,
            old.proof.certified is not None,
        )
        layer = new if better_bound else replace(new, proof=old.proof)
        if layer.lower_bound > layer.objective:
            above, below = apart(old.lower_bound, new.objective)
            raise SolverError(f"{named.name}: the bound {above} is above a plan of {below}")
        found = replace(found, layers=(layer,)) if better_plan or better_bound else known
    certified = _require_right(named, found)
    provers = named.proven_by
    if better_plan or better_bound or len(provers) < 2:
        provers = _provers(named, found, certified, settings)
    seconds = monotonic() - begin
    (layer,) = found.layers
    optimum = layer.objective if layer.status == "optimal" and len(provers) > 1 else None
    news = [word for word, better in (("plan", better_plan), ("bound", better_bound)) if better]
    if (optimum, provers) != (named.optimum, named.proven_by):
        news.append("provers")
    words = f"better {' and '.join(news)}" if known is not None and news else "new" if news else ""
    return Improved(replace(named, optimum=optimum, proven_by=provers), found, seconds, words)


def _require_right(named: NamedInstance, solution: Solution) -> Certified:
    certified = checked(named, solution)
    (layer,) = solution.layers
    if certified.error is not None or (layer.proof.certified is not None and not certified.checked):
        raise SolverError(f"{named.name}: {certified.error or 'its certificate does not hold'}")
    return certified


def _provers(named: NamedInstance, solution: Solution, certified: Certified, settings: Settings) -> tuple[str, ...]:
    """Who proved the bound; where it is the objective, those too who solve the whole model."""
    (layer,) = solution.layers
    # A bound on several words needs all of them: they are one prover.
    provers = ["certificate" if certified.checked else layer.proof.by or layer.proof.argument]
    if layer.status != "optimal" or named.objective != "total":
        return tuple(provers)
    if variables_of(named) > _MOST_VARIABLES:
        return tuple(provers)
    for method in WITNESSES:
        if method not in provers and _confirms(named, solution, method, settings):
            provers.append(method)
    return tuple(provers)


def _confirms(named: NamedInstance, solution: Solution, method: str, settings: Settings) -> bool:
    """Whether a solver proves the same optimum of the whole model, without a bound of ours to begin with."""
    optimum = solution.layers[0].objective
    slots = tuple(solution.plan.physical_to_logical[0].tolist())
    limits = Limits(settings.time_limit, settings.workers, settings.seed)
    found: list[Improvement] = []
    POOL.run(ProofTask(named.instance, slots, NO_BOUND, method, limits), found.append)
    for item in found:
        if item.slots is not None:
            value = max_loads(item.slots.tolist(), named.instance)[0]
            less, more = apart(value, optimum)
            raise SolverError(f"{named.name}: {method} has a plan of {less}, where {more} is the optimum")
        if item.proof is None:
            raise SolverError(f"{named.name}: {item.by}")
    return any(item.proof is not None and item.proof.bound == optimum for item in found)


def _solve(
    named: NamedInstance, known: Solution | None, settings: Settings, progress: Callable[[Progress], None] | None
) -> Solution:
    return solve(
        named.loads,
        named.deployment,
        objective=named.objective,
        warm_start=None if known is None else known.plan,
        time_limit=settings.time_limit,
        target_gap=settings.target_gap,
        seed=settings.seed,
        workers=settings.workers,
        progress=progress,
    )
