"""vLLM-Ascend: the plan of ``eplb_config.expert_map_path``, a JSON table of layers and devices.

vLLM-Ascend counts MoE layers from 0, in the order of the file. MindIE takes the same table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.errors import FileFormatError, InvalidPlanError
from eplb_opt.full_table import full_table
from eplb_opt.io.content import Content
from eplb_opt.io.engine import Engine, Serving
from eplb_opt.io.mappings import DeploymentFor, Given, make_plan, parse_mapping
from eplb_opt.io.record import Record
from eplb_opt.io.start import StartLine, dispatch_notes, vllm_notes, vllm_ranks, words
from eplb_opt.plan import Plan

_LAYERS, _COUNT = "layer_list", "moe_layer_count"
_CHECKED = "vLLM 0.33.0 and vLLM-Ascend 0.23.0.post1"
_TENSORS = (
    "dispatch by-rank is that of vLLM-Ascend without tensor parallelism; with it another replica serves each rank, by "
    "the number of the expert too"
)


def holds_plan(content: Content) -> bool:
    """Whether this is a plan: JSON with ``moe_layer_count`` and ``layer_list``."""
    return content.kind == "json" and content.has_key(_COUNT) and content.has_key(_LAYERS)


def parse_plan(content: Content, given: Given) -> Plan:
    """Plan of ``layer_list``, a row per MoE layer from 0; devices are GPUs.

    Given layer ids say which decoder layers the rows are.

    Raises
    ------
    FileFormatError
        Another file, or counts and ids that contradict the lists.
    InvalidPlanError
        Lists that are no mapping, or what contradicts what was given.
    """
    name = content.name
    if not holds_plan(content):
        raise FileFormatError(f"{name} is {content}; a plan of vLLM-Ascend has the keys '{_COUNT}' and '{_LAYERS}'")
    record = Record(name, content.value)
    layers = record.records(_LAYERS)
    if record.get(_COUNT, int) != len(layers) or not layers:
        raise FileFormatError(f"{name} says {_COUNT}={record.get(_COUNT, int)}, and has {len(layers)} layers")
    devices = [_devices(layer, place) for place, layer in enumerate(layers)]
    for place, lists in enumerate(devices):
        if len(lists) != len(devices[0]):
            raise InvalidPlanError(f"{name}: layer {place} has {len(lists)} devices, layer 0 has {len(devices[0])}")
        parse_mapping(lists, f"{name}, layer {place} (a row is a device)")
    mapping = parse_mapping([[expert for device in lists for expert in device] for lists in devices], name)
    deployment = _deployment(given.deployment, len(devices[0]), mapping.shape[1], name)
    return make_plan(mapping, deployment, given.num_experts, name, **given.labels(len(layers), name))


def deployment_facts(content: Content) -> dict[str, Any]:
    """What the file says of the deployment: its devices. Of a file that is damaged, nothing: `parse_plan` says why."""
    try:
        devices = Record(content.name, content.value).records(_LAYERS)[0].records("device_list")
    except (FileFormatError, IndexError):
        return {}
    return {"num_gpus": len(devices)} if devices else {}


def format_plan(plan: Plan, name: str) -> str:
    """JSON with a list of experts for each device of each MoE layer of the model."""
    table = full_table(plan, "moe")
    by_device = table.reshape(len(table), plan.deployment.num_gpus, -1).tolist()
    layers = [
        {
            "layer_id": layer,
            "device_count": len(devices),
            "device_list": [{"device_id": i, "device_expert": experts} for i, experts in enumerate(devices)],
        }
        for layer, devices in enumerate(by_device)
    ]
    return json.dumps({_COUNT: len(layers), _LAYERS: layers}) + "\n"


def demands(plan: Plan) -> Iterator[str]:
    """What vLLM-Ascend asks of a plan beyond the rules of placement: an expert at most once on a device."""
    if plan.deployment.distinct:
        return
    by_gpu = np.sort(plan.physical_to_logical.reshape(plan.num_layers, plan.deployment.num_gpus, -1), axis=2)
    for row, gpu, place in np.argwhere(by_gpu[:, :, 1:] == by_gpu[:, :, :-1]):
        yield f"layer {plan.layer_ids[row]}: device {gpu} holds expert {by_gpu[row, gpu, place]} more than once"


def start_line(path: str, plan: Plan) -> StartLine:
    """What starts vLLM-Ascend with the file; with one rank for expert parallelism it would ignore the file."""
    config = {"eplb_config": {"expert_map_path": path}}
    line = words(*vllm_ranks(plan.deployment), "--additional-config", json.dumps(config))
    where = f"add to the command of vLLM (checked for {_CHECKED})"
    return StartLine((line,), where, (*vllm_notes(plan.deployment), *_dispatch_notes(plan)))


def _dispatch_notes(plan: Plan) -> tuple[str, ...]:
    """What has to be known about which replica serves whom; nothing where there is one of each."""
    tensors = () if plan.deployment.num_slots == plan.num_experts else (_TENSORS,)
    return (*dispatch_notes(plan, "vLLM-Ascend", "by-rank"), *tensors)


ENGINE = Engine(
    "vLLM-Ascend",
    holds_plan,
    parse_plan,
    format_plan,
    demands,
    start_line,
    suffixes=(".json",),
    numbering="moe",
    no_draft_layers="vLLM-Ascend places the experts of draft layers by itself",
    facts=deployment_facts,
    servings=(Serving("by-rank", "without tensor parallelism"),),
)


def _devices(layer: Record, place: int) -> list[Any]:
    """Experts of each device of a layer; a `FileFormatError` where ids are not the places in the lists."""
    if layer.get("layer_id", int) != place:
        raise FileFormatError(f"{layer.name} has layer_id {layer.get('layer_id', int)}, and vLLM-Ascend reads places")
    devices = layer.records("device_list")
    if layer.get("device_count", int) != len(devices) or not devices:
        raise FileFormatError(
            f"{layer.name} says device_count={layer.get('device_count', int)}, and has {len(devices)} devices"
        )
    for i, device in enumerate(devices):
        if device.get("device_id", int) != i:
            raise FileFormatError(f"{device.name} has device_id {device.get('device_id', int)}, not its place {i}")
    return [device.get("device_expert", list) for device in devices]


def _deployment(given: DeploymentFor | None, devices: int, slots: int, name: str) -> Deployment:
    if given is None:
        return Deployment(devices, slots)
    deployment = given if isinstance(given, Deployment) else given(slots)
    if deployment.num_gpus != devices:
        raise InvalidPlanError(f"{name} has {devices} devices, the deployment num_gpus={deployment.num_gpus}")
    return deployment
