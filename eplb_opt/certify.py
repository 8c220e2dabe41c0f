"""certify: the bounds of a solution, checked against its recording without trust in what found them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from eplb_opt.bounds.certificate import check_certificate
from eplb_opt.bounds.window_certificate import check_window_certificate
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.exact import apart, exact_text
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.proof import Proof
from eplb_opt.solution import LayerSolution, Solution
from eplb_opt.verify import max_loads, objective_value


@dataclass(frozen=True)
class Certified:
    """What is left of a layer's bound once it has been checked.

    Attributes
    ----------
    layer_id
        Layer of the plan.
    argument
        Name of the proof's argument.
    checked
        Whether a certificate proves the bound; otherwise it rests on somebody's word.
    error
        Why the solution is wrong about this layer; ``None`` where nothing contradicts it.
    """

    layer_id: int
    argument: str
    checked: bool
    error: str | None = None


def certify(solution: Solution, loads: Any) -> tuple[Certified, ...]:
    """Check value and bound of every layer of a solution on the loads that it was made for.

    A bound is checked by `eplb_opt.bounds.certificate` or, of several windows, `window_certificate`, in exact
    arithmetic; those that rest on the word of a solver or a search are not.

    Raises
    ------
    InvalidLoadsError
        Loads of other layers or experts.
    """
    loads = Loads.of(loads)
    if (loads.num_layers, loads.num_experts) != (len(solution.layers), solution.plan.num_experts):
        raise InvalidLoadsError(
            f"the loads have {loads.num_layers} layers of {loads.num_experts} experts, the solution has "
            f"{len(solution.layers)} of {solution.plan.num_experts}"
        )
    return tuple(_certified(solution, row, layer, loads) for row, layer in enumerate(solution.layers))


def _certified(solution: Solution, row: int, layer: LayerSolution, loads: Loads) -> Certified:
    proof, deployment = layer.proof, solution.plan.deployment
    instance = Instance.from_loads(loads.values[:, row], deployment)
    slots = solution.plan.physical_to_logical[row].tolist()
    weights = solution.window_weights
    if weights is not None and (len(weights) != instance.num_windows or min(weights) <= 0):
        words = f"its {len(weights)} window weights are not positive numbers for {instance.num_windows} windows"
        return Certified(layer.layer_id, proof.argument, False, words)
    value = objective_value(slots, instance, solution.objective, solution.window_weights)
    if value != layer.objective:
        words = "its objective is {}, not {}".format(*apart(value, layer.objective))
        return Certified(layer.layer_id, proof.argument, False, words)
    total = instance.total()
    if (layer.max_load, layer.mean_load) != (max_loads(slots, total)[0], total.mean_loads[0]):
        return Certified(layer.layer_id, proof.argument, False, "its max load or its mean load is another one")
    if proof.bound > value:
        return Certified(layer.layer_id, proof.argument, False, "its bound is above its objective")
    if proof.certified is None:
        return Certified(layer.layer_id, proof.argument, False)
    try:
        _check(proof, instance, solution)
    # Numbers of thousands of digits cannot be written as text, and whoever forges a certificate can nest it deeply.
    except (ValueError, RecursionError) as error:
        return Certified(layer.layer_id, proof.argument, False, f"its bound is not proven: {error}")
    return Certified(layer.layer_id, proof.argument, True)


def _check(proof: Proof, instance: Instance, solution: Solution) -> None:
    """Check the certificate of a bound; a `CertificateError` if it does not prove it."""
    certificate = {**(proof.certified or {}), "bound": exact_text(proof.bound)}
    rules = asdict(solution.plan.deployment)
    if solution.objective == "total":
        check_certificate(certificate, _tokens(instance.total())[0], rules)
        return
    windows = _tokens(instance.loaded())
    if not any(windows[0]):
        # Without any load the imbalance is 1 by definition.
        return
    if len(windows) == 1:
        (mean,) = instance.loaded().mean_loads
        check_certificate(certificate | {"bound": exact_text(proof.bound * mean)}, windows[0], rules)
        return
    weights = instance.weights_of_loaded(solution.window_weights) if solution.objective == "mean" else None
    check_window_certificate(certificate, windows, rules, weights)


def _tokens(instance: Instance) -> list[list[Fraction]]:
    """Exact loads of each window in tokens."""
    return [[weight * instance.unit for weight in window] for window in instance.weights]
