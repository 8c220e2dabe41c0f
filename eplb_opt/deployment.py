"""Deployment: where experts can live, and the rules between the places."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from eplb_opt.arguments import one_of, positive_int
from eplb_opt.errors import InvalidDeploymentError

# Far beyond any deployment; a slip of the finger should not plan for hours.
_MOST_SLOTS = 100_000

Policy = Literal["auto", "hierarchical", "global"]


@dataclass(frozen=True)
class Deployment:
    """GPUs, nodes, slots, groups and the rules between them.

    Slots of a GPU and GPUs of a node are contiguous: slot ``s`` is on GPU ``s // slots_per_gpu``,
    GPU ``g`` on node ``g // gpus_per_node``.

    Attributes
    ----------
    num_gpus, num_slots
        GPUs, and slots (physical experts) over all of them; every GPU has equally many.
    num_nodes, num_groups
        Nodes, and expert groups of group-limited routing.
    policy
        ``"hierarchical"``: every node takes ``num_groups / num_nodes`` whole groups and the replicas of an
        expert stay on the node of its group. ``"global"``: any expert on any GPU. ``"auto"``: hierarchical
        where ``num_nodes > 1`` and the groups divide by the nodes, as DeepSeek's EPLB decides.
    distinct
        At most one replica of an expert on a GPU.

    Raises
    ------
    InvalidDeploymentError
        A number that is no positive integer, slots that do not divide by the GPUs, or (hierarchical) groups or
        GPUs that do not divide by the nodes. The message names the nearest possible number.
    """

    num_gpus: int
    num_slots: int
    num_nodes: int = 1
    num_groups: int = 1
    policy: Policy = "auto"
    distinct: bool = True

    def __post_init__(self) -> None:
        for field in fields(self)[:4]:
            number = positive_int(field.name, getattr(self, field.name), InvalidDeploymentError)
            object.__setattr__(self, field.name, number)
        if self.num_slots > _MOST_SLOTS:
            raise InvalidDeploymentError(f"num_slots={self.num_slots} is more than {_MOST_SLOTS}, the most supported")
        one_of("policy", self.policy, get_args(Policy), InvalidDeploymentError)
        # NumPy's booleans are fine, words such as "no" are not.
        if self.distinct not in (True, False):
            raise InvalidDeploymentError(f"distinct={self.distinct!r} is not True or False")
        object.__setattr__(self, "distinct", bool(self.distinct))
        _require_multiple("num_slots", self.num_slots, "num_gpus", self.num_gpus)
        if self.hierarchical:
            way_out = " (or policy='global')"
            _require_multiple("num_groups", self.num_groups, "num_nodes", self.num_nodes, way_out)
            _require_multiple("num_gpus", self.num_gpus, "num_nodes", self.num_nodes, way_out)

    @property
    def hierarchical(self) -> bool:
        """Whether groups are bound to nodes: the policy, with ``"auto"`` decided."""
        divides = self.num_nodes > 1 and self.num_groups % self.num_nodes == 0
        return self.policy == "hierarchical" or (self.policy == "auto" and divides)

    @property
    def slots_per_gpu(self) -> int:
        """Slots of one GPU."""
        return self.num_slots // self.num_gpus

    @property
    def binding_nodes(self) -> int:
        """Nodes that restrict placement: all of them under the hierarchical policy, else one."""
        return self.num_nodes if self.hierarchical else 1

    @property
    def binding_groups(self) -> int:
        """Groups that restrict placement: all of them under the hierarchical policy, else one."""
        return self.num_groups if self.hierarchical else 1

    @property
    def gpus_per_node(self) -> int:
        """GPUs of one binding node, so all GPUs under the global policy."""
        return self.num_gpus // self.binding_nodes

    @property
    def slots_per_node(self) -> int:
        """Slots of one binding node."""
        return self.num_slots // self.binding_nodes

    @property
    def groups_per_node(self) -> int:
        """Groups that one binding node takes."""
        return self.binding_groups // self.binding_nodes

    def require_room_for(self, num_experts: int) -> None:
        """Raise ``InvalidDeploymentError`` unless some plan for `num_experts` experts exists.

        Enough to check: group sizes are equal, every expert finds a slot on its node, and with distinct replicas
        a GPU finds enough different experts. Under these conditions Adams' counts and a cyclic deal are a plan.
        """
        if self.hierarchical:
            _require_multiple("num_experts", num_experts, "num_groups", self.num_groups, " (or policy='global')")
        experts_per_node = num_experts // self.binding_nodes
        if self.num_slots < num_experts:
            nearest = -(-num_experts // self.num_gpus) * self.num_gpus
            raise InvalidDeploymentError(
                f"num_slots={self.num_slots} cannot hold {num_experts} experts; nearest: {nearest}"
            )
        if self.distinct and self.slots_per_gpu > experts_per_node:
            where = "a GPU" if self.binding_nodes == 1 else "a GPU of a node"
            raise InvalidDeploymentError(
                f"{self.slots_per_gpu} slots per GPU cannot be filled with distinct replicas, {where} can hold "
                f"only {experts_per_node} different experts; nearest: num_slots={experts_per_node * self.num_gpus} "
                "(or distinct=False)"
            )


def _require_multiple(name: str, value: int, of: str, base: int, way_out: str = "") -> None:
    if value % base:
        below, above = value // base * base, -(-value // base) * base
        nearest = f"{below} or {above}" if below else f"{above}"
        raise InvalidDeploymentError(f"{name}={value} is not a multiple of {of}={base}; nearest: {nearest}{way_out}")
