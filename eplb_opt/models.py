"""Models: layers, experts and groups of MoE models that are served, by name.

Source: the models' own ``config.json`` (``num_hidden_layers``, ``first_k_dense_replace``, ``moe_layer_freq``,
``interleave_moe_layer_step``, ``hybrid_override_pattern``, ``n_routed_experts``, ``num_experts_per_tok``, ``n_group``,
``num_nextn_predict_layers``), as shipped with aiconfigurator-core 0.12. Models without such a source are not listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from eplb_opt.arguments import one_of
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
        As in ``--model``.
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
    """

    name: str
    num_layers: int
    moe_layer_ids: tuple[int, ...]
    num_experts: int
    experts_per_token: int
    num_groups: int = 1
    num_draft_layers: int = 0

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
        return Loads(values, source=loads.source, **self.labels.fields)

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
            return Loads(loads.values, source=loads.source, **labels.fields)
        if loads.num_model_layers == self.num_layers:
            # Arrays may have a row for every decoder layer, zero where there are no experts.
            return Loads(loads.values, loads.layer_ids, loads.source, self.num_layers)
        return loads


def _layers(ids: tuple[int, ...]) -> str:
    return f"layer{'s' * (len(ids) > 1)} {describe_ids(ids)}"


def _model(
    name: str,
    num_layers: int,
    num_experts: int,
    experts_per_token: int,
    moe_layers: Iterable[int] | None = None,
    *,
    groups: int = 1,
    drafts: int = 0,
) -> Model:
    ids = tuple(range(num_layers) if moe_layers is None else moe_layers)
    return Model(name, num_layers, ids, num_experts, experts_per_token, groups, drafts)


# The blocks of Nemotron-3-Super with experts, E of its hybrid pattern.
_NEMOTRON = "MEMEMEM*EMEMEMEM*EMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEM*EMEMEMEME"

_ALL = (
    _model("deepseek-v3", 61, 256, 8, range(3, 61), groups=8, drafts=1),
    _model("deepseek-r1", 61, 256, 8, range(3, 61), groups=8, drafts=1),
    _model("deepseek-v3.1", 61, 256, 8, range(3, 61), groups=8, drafts=1),
    _model("deepseek-v3.2", 61, 256, 8, range(3, 61), groups=8, drafts=1),
    _model("deepseek-v4-flash", 43, 256, 6, drafts=1),
    _model("deepseek-v4-pro", 61, 384, 6, drafts=1),
    _model("kimi-k2", 61, 384, 8, range(1, 61)),
    _model("kimi-k2.5", 61, 384, 8, range(1, 61)),
    _model("kimi-k3", 93, 896, 16, range(1, 93)),
    _model("qwen3-235b-a22b", 94, 128, 8),
    _model("qwen3-30b-a3b", 48, 128, 8),
    _model("qwen3-coder-480b-a35b", 62, 160, 8),
    _model("qwen3.5-397b-a17b", 60, 512, 10),
    _model("qwen3.5-122b-a10b", 48, 256, 8),
    _model("qwen3.5-35b-a3b", 40, 256, 8),
    _model("glm-5", 78, 256, 8, range(3, 78), drafts=1),
    _model("minimax-m2.5", 62, 256, 8),
    _model("minimax-m3", 60, 128, 4, range(3, 60), drafts=1),
    _model("gpt-oss-120b", 36, 128, 4),
    _model("gpt-oss-20b", 24, 32, 4),
    _model("llama-4-maverick", 48, 128, 1, range(1, 48, 2)),
    _model("llama-4-scout", 48, 16, 1),
    _model("mixtral-8x7b", 32, 8, 2),
    _model("mixtral-8x22b", 56, 8, 2),
    _model("mimo-v2-flash", 48, 256, 8, range(1, 48)),
    _model(
        "nemotron-3-super",
        len(_NEMOTRON),
        512,
        22,
        [place for place, kind in enumerate(_NEMOTRON) if kind == "E"],
        drafts=1,
    ),
    _model("step-3.7-flash", 45, 288, 8, range(3, 45), drafts=3),
)

MODELS = {model.name: model for model in _ALL}

# Checkpoints of these shapes whose names go on: trained further, or with other weights.
_CHECKPOINTS = {
    "deepseek-v3": ("deepseek-v3-base", "deepseek-v3-0324"),
    "deepseek-r1": ("deepseek-r1-zero", "deepseek-r1-0528"),
    "deepseek-v3.1": ("deepseek-v3.1-base", "deepseek-v3.1-terminus"),
    "deepseek-v3.2": ("deepseek-v3.2-exp",),
    "kimi-k2": ("kimi-k2-base", "kimi-k2-instruct", "kimi-k2-instruct-0905", "kimi-k2-thinking"),
    "qwen3-235b-a22b": (
        "qwen3-235b-a22b-fp8",
        "qwen3-235b-a22b-instruct-2507",
        "qwen3-235b-a22b-instruct-2507-fp8",
        "qwen3-235b-a22b-thinking-2507",
        "qwen3-235b-a22b-thinking-2507-fp8",
    ),
    "qwen3-30b-a3b": (
        "qwen3-30b-a3b-base",
        "qwen3-30b-a3b-fp8",
        "qwen3-30b-a3b-instruct-2507",
        "qwen3-30b-a3b-instruct-2507-fp8",
        "qwen3-30b-a3b-thinking-2507",
        "qwen3-30b-a3b-thinking-2507-fp8",
    ),
    "qwen3-coder-480b-a35b": ("qwen3-coder-480b-a35b-instruct", "qwen3-coder-480b-a35b-instruct-fp8"),
    "llama-4-maverick": (
        "llama-4-maverick-17b-128e",
        "llama-4-maverick-17b-128e-instruct",
        "llama-4-maverick-17b-128e-instruct-fp8",
    ),
    "llama-4-scout": ("llama-4-scout-17b-16e", "llama-4-scout-17b-16e-instruct"),
    "mixtral-8x7b": ("mixtral-8x7b-v0.1", "mixtral-8x7b-instruct-v0.1"),
    "mixtral-8x22b": ("mixtral-8x22b-v0.1", "mixtral-8x22b-instruct-v0.1"),
}
_NAMES = {other: name for name, others in _CHECKPOINTS.items() for other in others} | {name: name for name in MODELS}


def model_of(name: str) -> Model:
    """The model of this name, as in `MODELS` or as on Hugging Face: case and what is before a slash do not count.

    Raises
    ------
    InvalidArgumentError
        A name that is not known; the message lists those of `MODELS`. Variants are not guessed.
    """
    known = _NAMES.get(name.rpartition("/")[2].lower(), name)
    return MODELS[one_of("model", known, MODELS)]
