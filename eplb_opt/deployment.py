"""Deployment: where experts can live, and the rules between the places."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any, Literal, get_args

from eplb_opt.arguments import nearest, one_of, positive_int
from eplb_opt.certificates.exact import exact_text
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError
from eplb_opt.gpus import Gpus, slots_of_each, speeds_of_each

# Far beyond any deployment; a slip of the finger should not plan for hours.
_MOST_SLOTS = 100_000

Policy = Literal["auto", "hierarchical", "global"]
Dispatch = Literal["even", "nearest", "sglang-static", "by-rank", "optimal"]

# Rules that ask which node a GPU is on.
_BY_NODE = ("nearest", "sglang-static")
# Rules under which plans for GPUs that differ are searched.
_FOR_GPUS_THAT_DIFFER = ("even", "nearest", "by-rank")


@dataclass(frozen=True)
class Deployment:
    """GPUs, nodes, slots, groups and the rules between them.

    Slots of a GPU and GPUs of a node are contiguous: slot ``s`` is on GPU ``s // slots_per_gpu`` (where GPUs have
    different numbers of slots ``gpus.of_slot[s]``), GPU ``g`` on node ``g // gpus_per_node``.

    Attributes
    ----------
    num_gpus, num_slots
        GPUs, and slots (physical experts) over all of them; every GPU has equally many, unless `gpu_slots` says so.
    num_nodes, num_groups
        Nodes, and expert groups of group-limited routing.
    policy
        ``"hierarchical"``: every node takes ``num_groups / num_nodes`` whole groups and the replicas of an
        expert stay on the node of its group. ``"global"``: any expert on any GPU. ``"auto"``: hierarchical
        where ``num_nodes > 1`` and the groups divide by the nodes, as DeepSeek's EPLB decides.
    distinct
        At most one replica of an expert on a GPU.
    dispatch
        The rule that says which replica serves a source, see `eplb_opt.dispatch`.
    gpu_slots
        Slots of each GPU, which sum to `num_slots`; ``None`` where they are equal.
    gpu_speeds
        Speed of each GPU, exact numbers of any unit; ``None`` where they are equal. A GPU of speed v that carries x
        tokens has a load of ``x / v``, see `eplb_opt.gpus`: max loads, mean loads and bounds are about that.

    Raises
    ------
    InvalidDeploymentError
        A number that is no positive integer, slots that do not divide by the GPUs, or groups (hierarchical) or GPUs
        (hierarchical, or a dispatch that asks for nodes) that do not divide by the nodes. The message names the
        nearest possible numbers. Or slots or speeds that are not one positive number for each GPU, or a dispatch
        under which no plans for GPUs that differ are searched.
    """

    num_gpus: int
    num_slots: int
    num_nodes: int = 1
    num_groups: int = 1
    policy: Policy = "auto"
    distinct: bool = True
    dispatch: Dispatch = "even"
    gpu_slots: tuple[int, ...] | None = None
    gpu_speeds: tuple[Fraction, ...] | None = None

    def __post_init__(self) -> None:
        for field in fields(self)[:4]:
            number = positive_int(field.name, getattr(self, field.name), InvalidDeploymentError)
            object.__setattr__(self, field.name, number)
        if self.num_gpus > _MOST_SLOTS:
            raise InvalidDeploymentError(f"num_gpus={self.num_gpus} is more than {_MOST_SLOTS}, the most supported")
        one_of("policy", self.policy, get_args(Policy), InvalidDeploymentError)
        # NumPy's booleans are fine, words such as "no" are not.
        if self.distinct not in (True, False):
            raise InvalidDeploymentError(f"distinct={self.distinct!r} is not True or False")
        object.__setattr__(self, "distinct", bool(self.distinct))
        one_of("dispatch", self.dispatch, get_args(Dispatch), InvalidDeploymentError)
        self._require_nodes_that_divide()
        object.__setattr__(self, "gpu_slots", slots_of_each(self.gpu_slots, self.num_gpus, self.num_slots))
        object.__setattr__(self, "gpu_speeds", speeds_of_each(self.gpu_speeds, self.num_gpus))
        if not self.alike and self.dispatch not in _FOR_GPUS_THAT_DIFFER:
            raise InvalidDeploymentError(
                f"dispatch={self.dispatch!r} is about GPUs that are alike; those that differ have one of "
                f"{', '.join(_FOR_GPUS_THAT_DIFFER)}"
            )
        if self.gpu_slots is not None:
            of_nodes = [sum(node.slots) for node in self.gpus.blocks(self.binding_nodes)]
            if len(set(of_nodes)) > 1:
                raise InvalidDeploymentError(
                    f"gpu_slots give the nodes {of_nodes} slots, and nodes that groups are bound to need equally many "
                    "(policy='global' binds nothing to nodes)"
                )
            if self.num_slots <= _MOST_SLOTS:
                return
        multiples = range(self.num_gpus, _MOST_SLOTS + 1, self.num_gpus)
        if self.num_slots not in multiples:
            raise InvalidDeploymentError(self.refusal_of(self.num_slots) + nearest(self.num_slots, multiples))

    @property
    def hierarchical(self) -> bool:
        """Whether groups are bound to nodes: the policy, with ``"auto"`` decided."""
        divides = self.num_nodes > 1 and self.num_groups % self.num_nodes == 0
        return self.policy == "hierarchical" or (self.policy == "auto" and divides)

    @cached_property
    def gpus(self) -> Gpus:
        """Each GPU: its slots and its speed."""
        slots = self.gpu_slots or (self.num_slots // self.num_gpus,) * self.num_gpus
        return Gpus(slots, self.gpu_speeds)

    @property
    def alike(self) -> bool:
        """Whether GPUs have equally many slots and the same speed."""
        return self.gpu_slots is None and self.gpu_speeds is None

    def require_alike(self, what: str) -> None:
        """Refuse what is about GPUs that are alike, where they differ: an ``InvalidDeploymentError``."""
        if not self.alike:
            raise InvalidDeploymentError(
                f"{what} about GPUs that are alike, and the deployment has {' and '.join(self.listed)}"
            )

    def require_equal_slots(self, what: str) -> None:
        """Refuse what is about GPUs with equally many slots, where they have different numbers of them."""
        if self.gpu_slots is not None:
            raise InvalidDeploymentError(
                f"{what} about GPUs with equally many slots, and the deployment has gpu_slots from "
                f"{min(self.gpu_slots)} to {max(self.gpu_slots)}"
            )

    @property
    def listed(self) -> dict[str, Any]:
        """What is said of GPUs one by one: of `facts` those that are there where GPUs differ."""
        return {name: value for name, value in self.facts.items() if name in ("gpu_slots", "gpu_speeds")}

    @property
    def facts(self) -> dict[str, Any]:
        """The fields as files and certificates have them: of GPUs that are alike no list, and speeds as exact text."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.gpu_slots is None:
            del facts["gpu_slots"]
        else:
            facts["gpu_slots"] = list(self.gpu_slots)
        if self.gpu_speeds is None:
            del facts["gpu_speeds"]
        else:
            facts["gpu_speeds"] = [exact_text(speed) for speed in self.gpu_speeds]
        return facts

    @property
    def slots_per_gpu(self) -> int:
        """Slots of one GPU; an ``InvalidDeploymentError`` where GPUs have different numbers of them."""
        self.require_equal_slots("slots_per_gpu is")
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
    def ranks_per_node(self) -> int:
        """GPUs of one node, whatever the policy; 0 where the nodes do not divide them."""
        return 0 if self.num_gpus % self.num_nodes else self.num_gpus // self.num_nodes

    @property
    def slots_per_node(self) -> int:
        """Slots of one binding node."""
        return self.num_slots // self.binding_nodes

    @property
    def groups_per_node(self) -> int:
        """Groups that one binding node takes."""
        return self.binding_groups // self.binding_nodes

    def possible_slots(self, num_experts: int) -> range:
        """All numbers of slots, increasing, in which so many experts find room on these GPUs, with equally many each.

        Every expert needs a slot on its node, and with distinct replicas a GPU needs enough different experts. That is
        enough: Adams' counts and a cyclic deal are a plan then.

        Raises
        ------
        InvalidDeploymentError
            Groups that are bound to nodes and differ in size: no number of slots helps.
        """
        self._require_equal_groups(num_experts)
        least = -(-num_experts // self.num_gpus) * self.num_gpus
        most = num_experts // self.binding_nodes * self.num_gpus if self.distinct else _MOST_SLOTS
        return range(least, min(most, _MOST_SLOTS) + 1, self.num_gpus)

    def refusal_of(self, num_slots: int, num_experts: int = 0) -> str:
        """Why a number that is not one of `possible_slots` is not, in words; without experts, why no plan has it."""
        if num_slots > _MOST_SLOTS:
            return f"num_slots={num_slots} is more than {_MOST_SLOTS}, the most supported"
        if num_slots < num_experts:
            return f"num_slots={num_slots} cannot hold {num_experts} experts"
        different = num_experts // self.binding_nodes
        if self.distinct and num_experts and num_slots > different * self.num_gpus:
            where = "a GPU" if self.binding_nodes == 1 else "a GPU of a node"
            way_out = "" if num_slots % self.num_gpus else " (distinct=False allows copies)"
            return (
                f"num_slots={num_slots} is more than distinct replicas can fill, as {where} can hold only {different} "
                f"different experts{way_out}"
            )
        return f"num_slots={num_slots} is not a multiple of num_gpus={self.num_gpus}"

    def with_slots(self, num_slots: int, num_experts: int) -> Deployment:
        """The same deployment with so many slots; an ``InvalidDeploymentError`` unless they are `possible_slots`."""
        self._require_possible(positive_int("num_slots", num_slots, InvalidDeploymentError), num_experts)
        return replace(self, num_slots=num_slots, gpu_slots=None)

    def require_room_for(self, num_experts: int) -> None:
        """Raise ``InvalidDeploymentError`` unless some plan for `num_experts` experts exists, see `possible_slots`."""
        if self.gpu_slots is None:
            self._require_possible(self.num_slots, num_experts)
        else:
            self._require_room_on_each(self.gpu_slots, num_experts)

    def _require_room_on_each(self, gpu_slots: tuple[int, ...], num_experts: int) -> None:
        """As `possible_slots` asks of slots in all, of slots of nodes and of each GPU.

        That is enough: counts that differ by at most 1, each expert in turn on the GPUs with the most free slots, are
        a plan then (D. Gale, Pacific Journal of Mathematics 7, 1073-1082 (1957),
        https://doi.org/10.2140/pjm.1957.7.1073).
        """
        self._require_equal_groups(num_experts)
        if self.num_slots < num_experts:
            raise InvalidDeploymentError(self.refusal_of(self.num_slots, num_experts))
        different = num_experts // self.binding_nodes
        fullest = max(range(self.num_gpus), key=gpu_slots.__getitem__)
        if self.distinct and gpu_slots[fullest] > different:
            raise InvalidDeploymentError(
                f"gpu_slots[{fullest}]={gpu_slots[fullest]} is more than the {different} different experts that the "
                "GPU can hold (distinct=False allows copies)"
            )

    def _require_equal_groups(self, num_experts: int) -> None:
        if self.hierarchical and num_experts % self.num_groups:
            sizes = [n for n in range(self.num_nodes, num_experts + 1, self.num_nodes) if num_experts % n == 0]
            raise InvalidDeploymentError(
                f"num_groups={self.num_groups} does not divide num_experts={num_experts}"
                f"{nearest(self.num_groups, sizes)} (policy='global' needs no groups)"
            )

    def _require_possible(self, num_slots: int, num_experts: int) -> None:
        possible = self.possible_slots(num_experts)
        if num_slots not in possible:
            raise InvalidDeploymentError(self.refusal_of(num_slots, num_experts) + nearest(num_slots, possible))

    def _require_nodes_that_divide(self) -> None:
        if self.dispatch in _BY_NODE and not self.ranks_per_node:
            possible = [nodes for nodes in range(1, self.num_gpus + 1) if self.num_gpus % nodes == 0]
            raise InvalidDeploymentError(
                f"num_gpus={self.num_gpus} is not a multiple of num_nodes={self.num_nodes}, and dispatch="
                f"{self.dispatch!r} asks which node a GPU is on{nearest(self.num_nodes, possible, 'num_nodes=')}"
            )
        common = gcd(self.num_gpus, self.num_groups)
        if self.hierarchical and common % self.num_nodes:
            name = "num_groups" if self.num_groups % self.num_nodes else "num_gpus"
            possible = [nodes for nodes in range(1, common + 1) if common % nodes == 0]
            raise InvalidDeploymentError(
                f"{name}={getattr(self, name)} is not a multiple of num_nodes={self.num_nodes}"
                f"{nearest(self.num_nodes, possible, 'num_nodes=')} (policy='global' binds nothing to nodes)"
            )


def require_deployment(value: object) -> Deployment:
    """`value` if it is a deployment, else an `InvalidArgumentError` that says where one is, if that is known."""
    if isinstance(value, Deployment):
        return value
    holders = (("deployment", value), ("plan.deployment", getattr(value, "plan", None)))
    way = next((f"; give its .{at}" for at, owner in holders if hasattr(owner, "deployment")), "")
    raise InvalidArgumentError(f"deployment={reprlib.repr(value)} is not a Deployment{way}")
