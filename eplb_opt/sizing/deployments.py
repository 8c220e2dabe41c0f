"""Deployments that are held side by side."""

from __future__ import annotations

import logging
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from eplb_opt.arguments import one_of, positive_int
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError

logger = logging.getLogger(__name__)

POLICIES = ("hierarchical", "global")
# GPUs of a node where nobody says how many.
USUAL_NODE = 8
# Sizes beyond the fewest slots per GPU where nobody names any.
_FURTHER = 3


def deployments(
    num_experts: int,
    gpus: Sequence[int],
    slots_per_gpu: Sequence[int] | None,
    policies: Sequence[str] | None,
    gpus_per_node: int | None,
    num_groups: int,
    dispatch: Dispatch,
) -> list[Deployment]:
    """The deployments that exist, by GPUs, policy and slots; arguments as in `eplb_opt.size`."""
    given: dict[str, Any] = {"gpus": gpus, "slots_per_gpu": slots_per_gpu, "policies": policies}
    for name, value in given.items():
        # A word is a sequence too, of letters.
        if value is None and name != "gpus":
            continue
        if isinstance(value, str) or not isinstance(value, Iterable) or not len(list(value)):
            raise InvalidArgumentError(f"{name}={reprlib.repr(value)} is not a list of one or more")
    for policy in policies or ():
        one_of("policy", policy, POLICIES)
    found: list[Deployment] = []
    refused: list[str] = []
    for number in dict.fromkeys(positive_int("gpus", number) for number in gpus):
        nodes = _nodes(number, gpus_per_node)
        for shape in _shapes(number, nodes, policies, num_groups, dispatch):
            sizes = list(_sizes(shape, num_experts, slots_per_gpu))
            found += sizes
            if not sizes:
                refused.append(_none_fits(shape, num_experts, slots_per_gpu or ()))
    if not found:
        raise InvalidDeploymentError("; ".join(refused))
    for refusal in refused:
        logger.warning("left out: %s", refusal)
    return found


def _nodes(num_gpus: int, gpus_per_node: int | None) -> int:
    if gpus_per_node is None:
        return 1 if num_gpus % USUAL_NODE else num_gpus // USUAL_NODE
    if num_gpus % positive_int("gpus_per_node", gpus_per_node):
        raise InvalidDeploymentError(f"gpus_per_node={gpus_per_node} does not divide gpus={num_gpus}")
    return num_gpus // gpus_per_node


def _shapes(
    num_gpus: int, nodes: int, policies: Sequence[str] | None, num_groups: int, dispatch: Dispatch
) -> Iterator[Deployment]:
    """A deployment without slots beyond one per GPU for each policy that is asked for, or that applies."""
    applies = nodes > 1 and num_groups % nodes == 0
    for policy in policies or (POLICIES if applies else POLICIES[1:]):
        if policy == "hierarchical" and num_groups % nodes:
            raise InvalidDeploymentError(
                f"policy hierarchical on {num_gpus} GPUs: {num_groups} expert groups do not divide by {nodes} nodes; "
                "give another gpus_per_node, or the policy global alone"
            )
        named: Any = policy
        yield Deployment(num_gpus, num_gpus, nodes, num_groups, named, dispatch=dispatch)


def _sizes(shape: Deployment, num_experts: int, slots_per_gpu: Sequence[int] | None) -> Iterator[Deployment]:
    possible = shape.possible_slots(num_experts)
    fewest = possible.start // shape.num_gpus
    for size in range(fewest, fewest + _FURTHER + 1) if slots_per_gpu is None else slots_per_gpu:
        slots = positive_int("slots_per_gpu", size) * shape.num_gpus
        if slots in possible:
            yield shape.with_slots(slots, num_experts)


def _none_fits(shape: Deployment, num_experts: int, slots_per_gpu: Sequence[int]) -> str:
    """Why none of these sizes is possible, and which are."""
    possible = shape.possible_slots(num_experts)
    policy = "hierarchical" if shape.hierarchical else "global"
    refusal = (
        f"slots_per_gpu={list(slots_per_gpu)} cannot be filled with {num_experts} distinct experts on {shape.num_gpus} "
        f"GPUs, {policy}"
    )
    if not possible:
        return refusal
    fewest, most = possible[0] // shape.num_gpus, possible[-1] // shape.num_gpus
    return f"{refusal}: from {fewest} to {most} slots per GPU are possible"
