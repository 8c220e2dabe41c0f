"""Step: a forward pass, and how long the experts of a layer take in it: as planned, and at the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import finite_number
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.instance import Instance
from eplb_opt.model import Model
from eplb_opt.time_model import TimeModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a model on all GPUs at once: a forward pass.

    Its tokens ask for experts as in the recorded loads: a replica that serves the part q of a layer's load is active
    with probability ``1 - (1 - q)**n`` where the step makes n requests. Times are those of the expected numbers of
    active replicas and of tokens; that one step differs from the next is outside.

    Attributes
    ----------
    time_model
        Microseconds of a GPU.
    tokens_per_gpu
        Tokens that each GPU brings.
    experts_per_token
        Experts that each of them asks for.

    Raises
    ------
    InvalidArgumentError
        Numbers that are not positive.
    """

    time_model: TimeModel
    tokens_per_gpu: float
    experts_per_token: int

    def __post_init__(self) -> None:
        if finite_number("tokens_per_gpu", self.tokens_per_gpu) <= 0:
            raise InvalidArgumentError(f"tokens_per_gpu={self.tokens_per_gpu} is not a positive number of tokens")

    @classmethod
    def of(
        cls, time_model: TimeModel | str | None, tokens_per_gpu: float | None, model: Model | None = None
    ) -> Step | None:
        """What these arguments of a call mean together; ``None`` where neither a time model nor tokens are given.

        Raises
        ------
        InvalidArgumentError
            One without the other, or tokens whose requests nobody knows.
        """
        if time_model is None and tokens_per_gpu is None:
            return None
        if time_model is None:
            raise InvalidArgumentError(f"tokens_per_gpu={tokens_per_gpu} needs a time_model to become milliseconds")
        if not isinstance(time_model, TimeModel):
            time_model = TimeModel.of(time_model)
        if tokens_per_gpu is None:
            raise InvalidArgumentError("time_model needs tokens_per_gpu: the tokens that each GPU brings to a step")
        asked = time_model.experts_per_token if model is None else model.experts_per_token
        if asked is None:
            raise InvalidArgumentError(
                "a step needs the experts that a token asks for: name a model, or give experts_per_token"
            )
        return cls(time_model=time_model, tokens_per_gpu=tokens_per_gpu, experts_per_token=asked)

    def part_of_step(self, before: float, after: float) -> float | None:
        """Part of the time of a whole step that is saved where its experts take `after` in place of `before`.

        Amdahl's law with the share of a step that experts take with `before`; ``None`` where that is not known.
        """
        share = self.time_model.share_of_step
        return None if share is None else share * (1 - after / before)

    def requests(self, num_gpus: int) -> float:
        """Pairs of a token and an expert that it asks for, in one layer over all GPUs."""
        return self.tokens_per_gpu * self.experts_per_token * num_gpus

    def active(self, shares: Floats, num_gpus: int) -> Floats:
        """Probability that a replica which serves such a part of a layer's load gets any token, elementwise."""
        # 1 - (1 - q)^n loses its digits where q is small.
        with np.errstate(divide="ignore"):
            found: Floats = -np.expm1(self.requests(num_gpus) * np.log1p(-np.minimum(shares, 1.0)))
        return found

    def layer_microseconds(self, slots: Sequence[int], instance: Instance) -> Floats:
        """Time of the slowest GPU in a layer with this row of slots, of each window, shape ``(windows,)``.

        0 in a window without load. ``NaN`` where the dispatch leaves open what each replica serves. A GPU of speed v
        computes x tokens in the time in which one of speed 1 computes x / v; its weights stream as those of any.
        """
        rule, gpus, each = rule_of(instance.deployment), instance.deployment.num_gpus, instance.deployment.gpus
        parts = _parts(instance)
        served = rule.slot_loads(slots, parts, instance)
        if served is None:
            return np.where(parts.any(axis=1), np.nan, 0.0)
        active, tokens = each.sums(self.active(served, gpus)), each.rough_waiting(served) * self.requests(gpus)
        slowest: Floats = self.time_model.microseconds(active, tokens).max(axis=1)
        return np.where(parts.any(axis=1), slowest, 0.0)

    def mean_microseconds(self, slots: Sequence[int], instance: Instance) -> float:
        """Mean of `layer_microseconds` over the windows with load; 0 where there is none."""
        times = self.layer_microseconds(slots, instance)[list(instance.loaded_windows)]
        return float(times.mean()) if times.size else 0.0

    def least_microseconds(self, instance: Instance, imbalance: float) -> float:
        """No plan has a smaller mean time of a layer over its windows, where none has a smaller mean imbalance.

        In the mean the hottest GPU computes `imbalance` times the mean load or more. The slowest GPU streams no less
        than the average one, which streams its part of the least that is active in all (`least_active`). Windows
        without load count in no mean; a layer without any takes no time.
        """
        gpus = instance.deployment.num_gpus
        parts = _parts(instance.loaded())
        if not parts.any():
            return 0.0
        active = self.least_active(parts, instance).mean(keepdims=True) / gpus
        tokens = np.array([imbalance * self.requests(gpus) / float(instance.deployment.gpus.total_speed)])
        return float(self.time_model.microseconds(active, tokens)[0])

    def least_active(self, parts: Floats, instance: Instance) -> Floats:
        """No plan has fewer active replicas, expected, over all GPUs; `parts` of shape ``(windows, experts)`` sum to 1.

        The probability f(q) is concave with f(0) = 0: splitting an expert over replicas, evenly or not, adds active
        ones, so that one replica of each is the least. All slots are filled, and under the even split c replicas of an
        expert count ``c f(p / c)``, concave in c, so at least what the chord from one replica to the most says: the
        slots beyond one for each expert cost no less than the flattest chords, in order.
        """
        deployment = instance.deployment
        single = self.active(parts, deployment.num_gpus)
        least: Floats = single.sum(axis=1)
        most = instance.max_replicas
        spare = deployment.num_slots - instance.num_experts
        if deployment.dispatch != "even" or not spare:
            return least
        flattest = np.sort((most * self.active(parts / most, deployment.num_gpus) - single) / (most - 1), axis=1)
        whole, rest = divmod(spare, most - 1)
        least += flattest[:, :whole].sum(axis=1) * (most - 1) + flattest[:, whole : whole + 1].sum(axis=1) * rest
        return least


def _parts(instance: Instance) -> Floats:
    """Parts of the load of each window that go to each expert, shape ``(windows, experts)``; zeros without load."""
    weights = instance.rough_weights
    sums = weights.sum(axis=1, keepdims=True)
    parts: Floats = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    return parts
