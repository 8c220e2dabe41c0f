"""Engines that are not installed: modules with the published names, signatures and habits, and nothing behind them."""

import types
from abc import ABC, abstractmethod
from enum import Enum, auto

import numpy as np
import torch


def module(name, **content):
    made = types.ModuleType(name)
    made.__dict__.update(content)
    made.__path__ = []
    return made


def with_parents(*modules):
    """Modules by name, and packages above them."""
    made = {one.__name__: one for one in modules}
    for name in list(made):
        parts = name.split(".")
        for depth in range(1, len(parts)):
            parent = ".".join(parts[:depth])
            made.setdefault(parent, module(parent))
    for name, one in made.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(made[parent], child, one)
    return made


def install(monkeypatch, modules):
    for name, one in modules.items():
        monkeypatch.setitem(__import__("sys").modules, name, one)
    return modules


def vllm(answer: object = torch.Tensor, parameters: str = "new"):
    """vLLM's policies: `answer` annotates what they return, `parameters` is ``"new"``, ``"old"`` or ``"context"``."""

    class AbstractEplbPolicy(ABC):
        @classmethod
        @abstractmethod
        def rebalance_experts(cls, weight): ...

    class DefaultEplbPolicy(AbstractEplbPolicy):
        if parameters == "new":

            @classmethod
            def rebalance_experts(
                cls, weight, num_replicas, num_groups, num_nodes, num_ranks, old_global_expert_indices=None
            ) -> answer: ...

        elif parameters == "old":

            @classmethod
            def rebalance_experts(cls, weight, num_replicas, num_groups, num_nodes, num_ranks) -> answer: ...

        else:

            def rebalance_experts(self, context, policy_state) -> answer: ...

    return with_parents(
        module(
            "vllm.distributed.eplb.policy",
            AbstractEplbPolicy=AbstractEplbPolicy,
            EPLB_POLICIES={"default": DefaultEplbPolicy},
        )
    )


class EplbAlgorithm(Enum):
    """The names of SGLang's enumeration."""

    deepseek = auto()
    deepseek_hierarchical = auto()
    deepseek_vec = auto()
    deepseek_vec_hierarchical = auto()
    elasticity_aware = auto()


def sglang(running=None):
    """SGLang's algorithms; the shipped ones say which they are. And where experts are, if anything is `running`."""

    def rebalance_experts(
        tokens_per_expert, num_physical_experts, num_local_physical_experts, num_groups, num_nodes, algorithm
    ):
        return f"shipped {algorithm.name}"

    def leaf(weight, num_replicas, num_groups, num_nodes, num_gpus, enable_hierarchical):
        return "shipped leaf"

    name = "sglang.srt.eplb.eplb_algorithms"
    return with_parents(
        module(name, rebalance_experts=rebalance_experts, EplbAlgorithm=EplbAlgorithm),
        module(f"{name}.deepseek", rebalance_experts=leaf),
        module(
            "sglang.srt.eplb.expert_location",
            get_global_expert_location_metadata=lambda: (
                running if running is None else types.SimpleNamespace(physical_to_logical_map=running)
            ),
        ),
    )


def vllm_ascend():
    """vLLM-Ascend's factory of policies."""

    class PolicyFactory:
        @staticmethod
        def generate_policy(policy_type):
            return f"shipped {policy_type}"

    return with_parents(module("vllm_ascend.eplb.core.policy.policy_factory", PolicyFactory=PolicyFactory))


def refused_by_ascend(old, new):
    """Layers that the engine would put back: an expert lost, one twice on an NPU, or moved within its NPU."""
    refused = []
    for layer, (before, after) in enumerate(zip(np.asarray(old), np.asarray(new), strict=True)):
        lost = set(before[before >= 0]) - set(after.ravel())
        doubled = any(len(set(rank)) < len(rank) for rank in after)
        moved = any(
            now != was and now in rank_before
            for rank_before, rank_after in zip(before, after, strict=True)
            for was, now in zip(rank_before, rank_after, strict=True)
        )
        if lost or doubled or moved:
            refused.append(layer)
    return refused
