"""Model: what is known of a MoE model, and how recordings and plans get its layers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eplb_opt.errors import InvalidLoadsError, InvalidPlanError
from eplb_opt.layers import Layers, describe_ids
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan


@dataclass(frozen=True)
class Model:
    """Shape of a MoE model.

    Attributes
    ----------
    name
        As in ``--model``: a known name, or the path of a configuration.
    num_layers
        Decoder layers, those without experts included and draft layers not.
    moe_layer_ids
        Decoder layers with experts.
    num_experts
        Routed experts of a layer.
    experts_per_token
        Experts that a token is sent to.
    num_groups
        Groups of group-limited routing; 1 without it.
    num_draft_layers
        Layers behind the last decoder layer that predict further tokens (MTP, NextN).
    expert_bytes
        Bytes of one expert's weights in one layer, in the format of the checkpoint: 3 x hidden size x intermediate size
        x bytes of a weight, and the scales of its blocks (`eplb_opt.model_bytes.expert_bytes`). Biases are left out,
        0.13 % of an expert of gpt-oss. None where it is not known.
    kv_bytes_per_token
        Bytes of a token's KV cache over all decoder layers, draft layers not counted: in 16-bit numbers, unless the
        configuration says that the cache is quantized. Only layers that keep every token count: what others keep of a
        request does not grow with it. None where it is not known, or where layers with a sliding window keep some
        tokens only, so that no one number is right.
    """

    name: str
    num_layers: int
    moe_layer_ids: tuple[int, ...]
    num_experts: int
    experts_per_token: int
    num_groups: int = 1
    num_draft_layers: int = 0
    expert_bytes: int | None = None
    kv_bytes_per_token: int | None = None

    @property
    def labels(self) -> Layers:
        """Labels of a row for each layer with experts."""
        return Layers(self.moe_layer_ids, self.num_layers, "decoder", self.moe_layer_ids)

    @property
    def draft_layer_ids(self) -> tuple[int, ...]:
        """Ids that engines which count decoder layers give to draft layers."""
        return tuple(range(self.num_layers, self.num_layers + self.num_draft_layers))

    def disagreements(self, loads: Loads) -> list[str]:
        """Where a recording and this model differ, in words; an empty list where they do not."""
        found = self._contradictions(loads)
        missing = tuple(sorted(set(self.moe_layer_ids) - set(self._numbered(loads).layer_ids)))
        if missing and not found:
            found.append(f"the recording has no loads of {_layers(missing)}, with experts in {self.name}")
        return found

    def label(self, loads: Loads) -> Loads:
        """The recording with a row for each layer of this model with experts, zero where it has none.

        Rows of draft layers are left out; rows of a recording that counts MoE layers from 0 get their decoder layers.

        Raises
        ------
        InvalidLoadsError
            A recording that cannot be of this model: other experts or layers, or loads of layers without experts.
        """
        wrong = self._contradictions(loads)
        if wrong:
            raise InvalidLoadsError(wrong[0])
        numbered = self._numbered(loads)
        place = {layer: row for row, layer in enumerate(numbered.layer_ids)}
        values = np.zeros((loads.num_windows, len(self.moe_layer_ids), loads.num_experts), dtype=loads.values.dtype)
        for row, layer in enumerate(self.moe_layer_ids):
            if layer in place:
                values[:, row] = numbered.values[:, place[layer]]
        return replace(loads, values=values, **self.labels.fields)

    def label_plan(self, plan: Plan) -> Plan:
        """The plan with the decoder layers of this model; rows of layers without experts and drafts left out.

        Raises
        ------
        InvalidPlanError
            A plan for other experts, or for other layers.
        """
        if plan.num_experts != self.num_experts:
            raise InvalidPlanError(f"the plan has {plan.num_experts} experts, {self.name} has {self.num_experts}")
        counted = plan.layer_ids == tuple(range(len(self.moe_layer_ids))) and plan.num_model_layers == plan.num_layers
        if counted and (plan.numbering == "moe" or plan.num_layers != self.num_layers):
            # Rows counted from 0, as many as layers with experts.
            return replace(plan, **self.labels.fields)
        if plan.numbering == "moe" or not (
            self.num_layers <= plan.num_model_layers <= self.num_layers + self.num_draft_layers
        ):
            raise InvalidPlanError(
                f"the plan is for {plan.labels} of {plan.num_model_layers}, {self.name} has {self.num_layers} decoder "
                f"layers, experts in {describe_ids(self.moe_layer_ids)}"
            )
        rows = [row for row, layer in enumerate(plan.layer_ids) if layer in self.moe_layer_ids]
        ids = tuple(plan.layer_ids[row] for row in rows)
        labels = replace(self.labels, ids=ids)
        return replace(plan, physical_to_logical=plan.physical_to_logical[rows], **labels.fields)

    def missing_rows(self, plan: Plan) -> tuple[str, ...]:
        """Layers of this model with experts for which a plan has no row, a sentence each."""
        missing = sorted(set(self.moe_layer_ids) - set(plan.layer_ids))
        return tuple(f"layer {layer} of {self.name} has experts and no row" for layer in missing)

    def _contradictions(self, loads: Loads) -> list[str]:
        found = []
        if loads.num_experts != self.num_experts:
            found.append(f"the recording has {loads.num_experts} experts, {self.name} has {self.num_experts}")
        numbered = self._numbered(loads)
        if numbered.numbering == "moe":
            found.append(
                f"the recording counts {loads.num_model_layers} MoE layers from 0, {self.name} has "
                f"{len(self.moe_layer_ids)}: decoder layers {describe_ids(self.moe_layer_ids)} of {self.num_layers}"
            )
            return found
        if not self.num_layers <= numbered.num_model_layers <= self.num_layers + self.num_draft_layers:
            found.append(
                f"the recording has {numbered.num_model_layers} decoder layers, {self.name} has {self.num_layers}"
            )
        known = {*self.moe_layer_ids, *self.draft_layer_ids}
        rows = [row for row, layer in enumerate(numbered.layer_ids) if layer not in known]
        dense = tuple(numbered.layer_ids[row] for row in rows if numbered.values[:, row].any())
        if dense and not found:
            found.append(f"the recording has loads of {_layers(dense)}, without experts in {self.name}")
        return found

    def _numbered(self, loads: Loads) -> Loads:
        """The recording by decoder layers, where its rows tell which these are."""
        if loads.numbering == "decoder":
            return loads
        if loads.num_model_layers == len(self.moe_layer_ids):
            labels = replace(self.labels, ids=tuple(self.moe_layer_ids[index] for index in loads.layer_ids))
            return replace(loads, **labels.fields)
        if loads.num_model_layers == self.num_layers:
            # Arrays may have a row for every decoder layer, zero where there are no experts.
            return replace(loads, num_model_layers=self.num_layers, numbering="decoder", moe_layer_ids=())
        return loads


def _layers(ids: tuple[int, ...]) -> str:
    return f"layer{'s' * (len(ids) > 1)} {describe_ids(ids)}"
