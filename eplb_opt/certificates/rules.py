"""The rules of a deployment, read from a mapping as in solution files, which may be forged."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value

DISPATCHES = ("even", "nearest", "sglang-static", "by-rank", "optimal")


def whole(deployment: Mapping[str, Any], key: str) -> int:
    """A number of a deployment, which is a positive integer."""
    value = deployment[key]
    if type(value) is not int or value < 1:
        raise CertificateError(f"{key} is no positive integer")
    return value


def binding(deployment: Mapping[str, Any]) -> tuple[int, int]:
    """Nodes and groups, where groups are bound to nodes; else one of each."""
    nodes, groups, policy = whole(deployment, "num_nodes"), whole(deployment, "num_groups"), deployment["policy"]
    if policy not in ("auto", "global", "hierarchical"):
        raise CertificateError("the policy is not known")
    binds = policy == "hierarchical" or (policy == "auto" and nodes > 1 and groups % nodes == 0)
    return (nodes, groups) if binds else (1, 1)


def distinct(deployment: Mapping[str, Any]) -> bool:
    """Whether the replicas of an expert are on different GPUs."""
    value = deployment["distinct"]
    if type(value) is not bool:
        raise CertificateError("distinct is no truth value")
    return value


def evenly(deployment: Mapping[str, Any]) -> bool:
    """Whether the load of an expert is split evenly over its replicas; solutions of old say nothing else."""
    dispatch = deployment.get("dispatch", "even")
    if dispatch not in DISPATCHES:
        raise CertificateError("the dispatch is not known")
    return bool(dispatch == "even")


def max_replicas(num_experts: int, deployment: Mapping[str, Any]) -> int:
    """The most replicas of an expert: the others of its node need a slot each, and distinct ones a GPU each."""
    nodes, _ = binding(deployment)
    spare = (whole(deployment, "num_slots") - num_experts) // nodes + 1
    return min(spare, whole(deployment, "num_gpus") // nodes) if distinct(deployment) else spare


def each_gpu(deployment: Mapping[str, Any]) -> tuple[tuple[int, Fraction], ...]:
    """Slots and speed of each GPU, where they differ or are said one by one; nothing where all are alike."""
    if deployment.get("gpu_slots") is None and deployment.get("gpu_speeds") is None:
        return ()
    gpus, slots = whole(deployment, "num_gpus"), whole(deployment, "num_slots")
    sizes = deployment.get("gpu_slots") or [slots // gpus] * gpus
    speeds = [exact_value(speed, ARGUMENT_DIGITS) for speed in deployment.get("gpu_speeds") or ["1"] * gpus]
    if any(type(size) is not int or size < 1 for size in sizes) or min(speeds) <= 0:
        raise CertificateError("slots or speeds of GPUs are no positive numbers")
    if len(sizes) != gpus or len(speeds) != gpus or sum(sizes) != slots:
        raise CertificateError("slots or speeds of GPUs are not those of all GPUs")
    nodes, _ = binding(deployment)
    size = gpus // nodes
    if gpus % nodes or len({sum(sizes[first : first + size]) for first in range(0, gpus, size)}) > 1:
        raise CertificateError("nodes have different numbers of slots")
    return tuple(zip(sizes, speeds, strict=True))


def total_speed(deployment: Mapping[str, Any]) -> int | Fraction:
    """Sum of the speeds of all GPUs; their number where they are alike."""
    each = each_gpu(deployment)
    return sum((speed for _, speed in each), Fraction(0)) if each else whole(deployment, "num_gpus")


def of_node(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The rules within one of the nodes that groups are bound to."""
    if each_gpu(deployment):
        raise CertificateError("nodes whose GPUs differ are not alike")
    nodes, _ = binding(deployment)
    return {
        "num_gpus": whole(deployment, "num_gpus") // nodes,
        "num_slots": whole(deployment, "num_slots") // nodes,
        "num_nodes": 1,
        "num_groups": 1,
        "policy": "global",
        "distinct": distinct(deployment),
        "dispatch": deployment.get("dispatch", "even"),
    }


def moved_from(deployment: Mapping[str, Any], num_experts: int) -> tuple[tuple[int, ...], int] | None:
    """The old row of slots, -1 where one was empty, and the most moves from it; ``None`` without such a limit."""
    if "moves" not in deployment:
        return None
    moves, before = deployment["moves"], deployment["before"]
    whole_numbers = all(type(number) is int for number in (moves, *before))
    if not whole_numbers or moves < 0 or not all(-1 <= expert < num_experts for expert in before):
        raise CertificateError("moves or the slots before are not possible")
    if len(before) != whole(deployment, "num_slots"):
        raise CertificateError("there were other slots before")
    return tuple(before), moves
