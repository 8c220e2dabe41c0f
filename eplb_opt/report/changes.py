"""Changes: deployments that differ from one by a rule, or by a slot per GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidDeploymentError
from eplb_opt.report.effort import ASIDE, FULL


@dataclass(frozen=True)
class Change:
    """One deployment beside another.

    Attributes
    ----------
    key
        ``"policy"``, ``"distinct"``, ``"slot more"`` or ``"slot less"``.
    words
        What is different, for people.
    deployment
        With the change.
    allows
        Whether every plan of the deployment without the change obeys the rules with it (1), or the other way round
        (-1); 0 where slots differ: all slots have to be filled, so that the best plan for more of them may be hotter.
    """

    key: str
    words: str
    deployment: Deployment
    allows: int

    @property
    def weight(self) -> float:
        """What part of the time its plan gets: another policy as much as the plan as it is."""
        return FULL if self.key == "policy" else ASIDE


def changes_of(deployment: Deployment, num_experts: int) -> tuple[Change, ...]:
    """Every change of one rule or one slot per GPU under which there are plans at all."""
    return tuple(_possible(deployment, num_experts))


def _possible(deployment: Deployment, num_experts: int) -> Iterator[Change]:
    bound, distinct, one_each = deployment.hierarchical, deployment.distinct, deployment.num_gpus
    yield from _change(
        "policy",
        "groups on any node (policy `global`)" if bound else "groups on one node each (policy `hierarchical`)",
        deployment,
        {"policy": "global" if bound else "hierarchical"},
        num_experts,
        1 if bound else -1,
    )
    yield from _change(
        "distinct",
        "replicas may share a GPU (`--no-distinct`)" if distinct else "replicas on different GPUs (`--distinct`)",
        deployment,
        {"distinct": not distinct},
        num_experts,
        1 if distinct else -1,
    )
    for key, number in (("slot more", one_each), ("slot less", -one_each)):
        slots = deployment.num_slots + number
        words = f"one {key} per GPU ({slots} slots)"
        yield from _change(key, words, deployment, {"num_slots": slots}, num_experts, 0)


def _change(
    key: str, words: str, deployment: Deployment, fields: dict[str, object], num_experts: int, allows: int
) -> Iterator[Change]:
    """The change, if there is such a deployment, it differs, and the experts find room in it."""
    # One node holds all groups anyway, and one GPU all replicas.
    places = deployment.num_nodes if key == "policy" else deployment.num_gpus
    if places == 1:
        return
    try:
        changed = replace(deployment, **fields)  # type: ignore[arg-type]
        changed.require_room_for(num_experts)
    except InvalidDeploymentError:
        return
    yield Change(key, words, changed, allows)
