"""certify: the bounds of a solution, checked against its recording without trust in what found them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from eplb_opt.bounds.certificate import CertificateError, check_certificate
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.solution import LayerSolution, Solution
from eplb_opt.verify import objective_value


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

    A bound is checked by `eplb_opt.bounds.certificate`, in exact arithmetic. Bounds on several windows, and those that
    rest on the word of a solver or a search, are not.

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
    value = objective_value(slots, instance, solution.objective, solution.window_weights)
    if value != layer.objective:
        said = float(layer.objective)
        return Certified(layer.layer_id, proof.argument, False, f"its objective is {float(value)}, not {said}")
    if proof.certified is None:
        return Certified(layer.layer_id, proof.argument, False)
    window = _window(instance, solution.objective)
    if window is None:
        return Certified(layer.layer_id, proof.argument, False)
    tokens, bound = window
    certificate = {**proof.certified, "bound": str(proof.bound * bound)}
    try:
        check_certificate(certificate, tokens, asdict(deployment))
    except CertificateError as error:
        return Certified(layer.layer_id, proof.argument, False, f"its bound is not proven: {error}")
    return Certified(layer.layer_id, proof.argument, True)


def _window(instance: Instance, objective: str) -> tuple[list[Fraction], Fraction] | None:
    """Loads in tokens of the one window that counts, and what bounds are multiples of; ``None`` where several count."""
    if objective == "total":
        layer, unit = instance.total(), Fraction(1)
    else:
        layer = instance.loaded()
        if layer.num_windows != 1:
            return None
        (unit,) = layer.mean_loads
    return [weight * layer.unit for weight in layer.weights[0]], unit
