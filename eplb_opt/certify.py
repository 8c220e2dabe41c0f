"""certify: the bounds of a solution, checked against its recording without trust in what found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eplb_opt.acceptance import check_proof
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.exact import apart
from eplb_opt.instance import Instance
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.loads import Loads
from eplb_opt.objective import Objective
from eplb_opt.solution import Solution
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
    by
        Whose word that is, as in `eplb_opt.proof.Proof`.
    """

    layer_id: int
    argument: str
    checked: bool
    error: str | None = None
    by: str = ""


def certify(solution: Solution, loads: Any) -> tuple[Certified, ...]:
    """Check value and bound of every layer of a solution on the loads that it was made for.

    A bound is checked by `eplb_opt.certificates`, in exact arithmetic; those that rest on the word of a solver or a
    search are not.

    Raises
    ------
    InvalidLoadsError
        Loads of other layers or experts.
    InvalidArgumentError
        What is no solution.
    """
    if not isinstance(solution, Solution):
        raise InvalidArgumentError(
            f"a {type(solution).__name__} is not a Solution; read_solution reads one from a file"
        )
    loads = Loads.of(loads)
    if (loads.num_layers, loads.num_experts) != (len(solution.layers), solution.plan.num_experts):
        raise InvalidLoadsError(
            f"the loads have {loads.num_layers} layers of {loads.num_experts} experts, the solution has "
            f"{len(solution.layers)} of {solution.plan.num_experts}"
        )
    # Layers are matched by their place.
    ours = Loads(loads.values, **solution.plan.labels.fields)
    layers = zip(solution.layers, layers_of(solution.plan, ours), strict=True)
    return tuple(_certified(solution, layer, slots, instance) for layer, (slots, instance) in layers)


def _certified(solution: Solution, layer: LayerSolution, slots: Sequence[int], instance: Instance) -> Certified:
    proof = layer.proof
    checked, error = False, _contradiction(solution, layer, slots, instance)
    if error is None and proof.certified is not None:
        try:
            check_proof(proof, instance, Objective(solution.objective, solution.window_weights), layer.limit)
            checked = True
        # Numbers of thousands of digits cannot be written as text, and whoever forges a certificate can nest it deeply.
        except (ValueError, RecursionError) as wrong:
            error = f"its bound is not proven: {wrong}"
    return Certified(layer.layer_id, proof.argument, checked, error, "" if checked else proof.by)


def _contradiction(solution: Solution, layer: LayerSolution, slots: Sequence[int], instance: Instance) -> str | None:
    """What is wrong about the values of a layer, apart from what proves its bound."""
    weights = solution.window_weights
    if weights is not None and (len(weights) != instance.num_windows or min(weights) <= 0):
        return f"its {len(weights)} window weights are not positive numbers for {instance.num_windows} windows"
    value = objective_value(slots, instance, solution.objective, weights)
    if value != layer.objective:
        return "its objective is {}, not {}".format(*apart(value, layer.objective))
    if layer.limit is not None:
        limit = layer.limit
        if len(limit.before) != len(slots) or max(limit.before) >= instance.num_experts:
            return "the slots that its moves are counted from are not those of its plan"
        if (moves := limit.moves_of(slots, instance.deployment.gpus)) > limit.moves:
            return f"it has {moves} moves, and its bound is about plans with at most {limit.moves}"
    total = instance.total()
    if (layer.max_load, layer.mean_load) != (max_loads(slots, total)[0], total.mean_loads[0]):
        return "its max load or its mean load is another one"
    return "its bound is above its objective" if layer.lower_bound > value else None
