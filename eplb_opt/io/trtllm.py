"""TensorRT-LLM: recordings of its expert statistic, and the plan of ``moe_config.load_balancer``, a YAML file.

TensorRT-LLM counts decoder layers: the rows of DeepSeek-V3 are 3-60, and a draft layer (MTP) is 61.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.errors import FileFormatError, InvalidPlanError, MissingPackageError
from eplb_opt.full_table import full_table
from eplb_opt.io.containers import first_line
from eplb_opt.io.content import Content, list_names, read_content
from eplb_opt.io.engine import Engine, Serving
from eplb_opt.io.folding import added
from eplb_opt.io.mappings import Given, make_plan, numbered_rows, parse_mapping
from eplb_opt.io.record import Record
from eplb_opt.io.recording import Recording, block_of
from eplb_opt.io.start import StartLine, dispatch_notes, file_word, words
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan

if TYPE_CHECKING:
    import yaml

_META = "meta_info.json"
_RANK = re.compile(r"rank(0|[1-9][0-9]{0,5})\.safetensors")
# Layer numbers of more digits are damage.
_KEY = re.compile(r"(0|[1-9][0-9]{0,15})_(0|[1-9][0-9]{0,3})")
# A format of printf.
_LINE = "%s\\n"
_NOTES = (
    "it takes one file of options: where you have one, put the two lines of the first command there",
    "without attention data parallelism, and for models that it does not know, it ignores the plan without a word",
    "moe_config.backend: early versions balance with WIDEEP alone; since 2026-07-31 (pull request 17119) that is "
    "refused, and CUTLASS, TRTLLM, CUTEDSL and DEEPGEMM balance, VANILLA, TRITON and MARLIN do not",
)
_SLOTS, _ROWS, _UPDATES = "num_slots", "initial_global_assignments", "layer_updates_per_iter"
_KEY_OF_ROWS = re.compile(rf"(?:^|[{{,])\s*[\"']?{_ROWS}[\"']?\s*:", re.MULTILINE)


def holds_plan(content: Content) -> bool:
    """Whether this is a plan: YAML, of which JSON is a part, with the key ``initial_global_assignments``."""
    if content.kind == "json":
        return content.has_key(_ROWS) and content.has_key(_SLOTS) and not content.has_key("record_type")
    return content.kind == "text" and _KEY_OF_ROWS.search(content.value) is not None


def parse_plan(content: Content, given: Given) -> Plan:
    """Plan of ``initial_global_assignments``, a row per decoder layer with experts.

    Where the decoder layers of the model are given, rows behind them are of draft layers and left out.

    Raises
    ------
    FileFormatError
        No YAML, a key that TensorRT-LLM refuses, or ``num_slots`` that contradicts the rows.
    InvalidPlanError
        Rows that are no mapping, or what contradicts what was given.
    """
    name = content.name
    if not holds_plan(content):
        raise FileFormatError(f"{name} is {content}; a plan of TensorRT-LLM has the key {_ROWS!r}")
    record = Record(name, content.value if content.kind == "json" else _parse_yaml(content.value, name))
    others = [key for key in record.values if key not in (_SLOTS, _ROWS, _UPDATES)]
    if others:
        raise FileFormatError(f"{name} has keys that TensorRT-LLM refuses: {list_names(others)}")
    if _UPDATES in record.values and record.get(_UPDATES, int) < 0:
        raise FileFormatError(f"{name} says {_UPDATES}={record.get(_UPDATES, int)}, which is less than 0")
    layers, rows = numbered_rows(record.get(_ROWS, dict), name)
    mapping = parse_mapping(rows, name)
    if record.get(_SLOTS, int) != mapping.shape[1]:
        raise FileFormatError(
            f"{name} says {_SLOTS}={record.get(_SLOTS, int)}, and its rows have {mapping.shape[1]} slots"
        )
    known = len([layer for layer in layers if layer < (given.num_model_layers or layer + 1)])
    if not known:
        raise InvalidPlanError(f"{name} begins at layer {layers[0]}, the model has {given.num_model_layers} layers")
    labels = {"layer_ids": layers[:known], "num_model_layers": given.num_model_layers or 0}
    return given.select(make_plan(mapping[:known], given.deployment, given.num_experts, name, **labels), name)


def format_plan(plan: Plan, name: str) -> str:
    """YAML with a row per decoder layer with experts, and without updates while serving."""
    rows = full_table(plan, "decoder")
    lines = [f"{_SLOTS}: {plan.deployment.num_slots}", f"{_UPDATES}: 0", f"{_ROWS}:"]
    with_experts = plan.labels.moe_layer_ids or plan.layer_ids
    lines += [f"  {layer}: {rows[layer].tolist()}" for layer in with_experts]
    return "\n".join(lines) + "\n"


def demands(plan: Plan) -> Iterator[str]:
    """What TensorRT-LLM asks of a plan beyond the rules of placement: nothing."""
    return iter(())


def start_line(path: str, plan: Plan) -> StartLine:
    """What starts TensorRT-LLM with the file, by a file of options, as it has no flag for load balancing."""
    ranks = plan.deployment.num_gpus
    options = file_word(f"{PurePath(path).with_suffix('')}.options.yaml")
    # A JSON string is a YAML string.
    balancer = f"moe_config: {{load_balancer: {json.dumps(path, ensure_ascii=False)}}}"
    lines = (
        f"{words('printf', _LINE, 'enable_attention_dp: true', balancer)} > {words(options)}",
        words("--tp_size", ranks, "--ep_size", ranks, "--extra_llm_api_options", options),
    )
    notes = (*_NOTES, *dispatch_notes(plan, "TensorRT-LLM", "even"))
    return StartLine(lines, "run the first, and add the second to the command of TensorRT-LLM", notes)


ENGINE = Engine(
    "TensorRT-LLM",
    holds_plan,
    parse_plan,
    format_plan,
    demands,
    start_line,
    suffixes=(".yaml", ".yml"),
    numbering="decoder",
    servings=(Serving("even"),),
)


def _parse_yaml(text: str, name: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingPackageError(f"reading {name} needs PyYAML: pip install pyyaml") from None

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """A loader that refuses what YAML leaves silent: a key that is there twice."""

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise FileFormatError(f"{name} has the key {key!r} twice")
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        return yaml.load(text, Loader)
    except FileFormatError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise FileFormatError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None


def holds_loads(content: Content) -> bool:
    """Whether this is a recording: a folder with ``meta_info.json`` and ``rank0.safetensors``, or another rank's."""
    return content.kind == "folder" and _META in content.value and any(map(_RANK.fullmatch, content.value))


def parse_loads(content: Content) -> Recording:
    """Recording of an ``EXPERT_STATISTIC_PATH``: a step per iteration, the sum of all ranks, a row per layer counted.

    Ids are decoder layers; layers that are not there have no experts. Other files, such as ``rank0_raw.safetensors``,
    are left out. Tensors are read one iteration after the other, when steps are summed.

    Raises
    ------
    FileFormatError
        A folder without these files, a rank without a file, or ``num_experts`` that is no positive integer. Ranks with
        different keys, a gap between iterations and tensors of another shape are found when the steps are read.
    """
    name = content.name
    if not holds_loads(content):
        raise FileFormatError(f"{name} is {content}; a recording of TensorRT-LLM has {_META} and rank*.safetensors")
    meta = read_content(PurePath(name) / _META)
    experts = Record(meta.name, meta.value).get("num_experts", int)
    if experts < 1:
        raise FileFormatError(f"{meta.name} says num_experts={experts}, which is not a positive number")
    ranks = {int(match[1]) for file in content.value if (match := _RANK.fullmatch(file))}
    if missing := set(range(len(ranks))) - ranks:
        raise FileFormatError(f"{name} has no rank{min(missing)}.safetensors; the files of all ranks are needed")
    return Recording(name, _Statistic(name, len(ranks), experts))


@dataclass(frozen=True)
class _Statistic:
    """The steps of an expert statistic, read anew whenever they are gone through."""

    folder: str
    num_ranks: int
    num_experts: int

    def __iter__(self) -> Iterator[Loads]:
        paths = [str(PurePath(self.folder) / f"rank{rank}.safetensors") for rank in range(self.num_ranks)]
        with ExitStack() as stack:
            ranks = {path: stack.enter_context(_opened(path)) for path in paths}
            iterations, layers = _axes({path: frozenset(tensors.keys()) for path, tensors in ranks.items()})
            for iteration in iterations:
                total: NDArray[Any] | None = None
                for path, tensors in ranks.items():
                    rows = [self._counts(tensors, f"{iteration}_{layer}", path) for layer in layers]
                    where = f"{path}, iteration {iteration}"
                    total = added(total, block_of(np.stack(rows), where, layers).values[0], where)
                yield block_of(total, f"{self.folder}, iteration {iteration}", layers)

    def _counts(self, tensors: Any, key: str, path: str) -> NDArray[Any]:
        try:
            counts: NDArray[Any] = tensors.get_tensor(key)
        except Exception as error:  # noqa: BLE001 (types that NumPy has not, such as bfloat16, raise what they like)
            raise FileFormatError(f"{path}: {key!r} cannot be read: {first_line(error)}") from None
        if counts.shape != (self.num_experts,):
            raise FileFormatError(f"{path}: {key!r} has shape {counts.shape}, and num_experts is {self.num_experts}")
        return counts


def _opened(path: str) -> Any:
    try:
        from safetensors import safe_open
    except ImportError:
        raise MissingPackageError(f"reading {path} needs safetensors: pip install safetensors") from None
    try:
        return safe_open(path, framework="numpy")
    except Exception as error:  # noqa: BLE001 (damaged headers raise several types)
        raise FileFormatError(f"{path} is no readable safetensors file: {first_line(error)}") from None


def _axes(keys: dict[str, frozenset[str]]) -> tuple[list[int], list[int]]:
    """Iterations without a gap and layers, both increasing, from the keys ``ITERATION_LAYER`` of each file."""
    (path, first), *others = keys.items()
    for other, theirs in others:
        if first != theirs:
            different = list_names(sorted(first ^ theirs))
            raise FileFormatError(f"{path} and {other} have different keys; in one of them only: {different}")
    pairs = set()
    for key in sorted(first):
        if not (match := _KEY.fullmatch(key)):
            raise FileFormatError(f"{path} has the key {key[:40]!r}, which is no iteration and layer such as '100_3'")
        pairs.add((int(match[1]), int(match[2])))
    iterations, layers = (sorted(set(axis)) for axis in zip(*pairs, strict=True)) if pairs else ([], [])
    for before, after in pairwise(iterations):
        if after != before + 1:
            raise FileFormatError(f"{path} has iteration {before} and then {after}; those between are missing")
    if len(pairs) < len(iterations) * len(layers):
        iteration, layer = next(pair for pair in product(iterations, layers) if pair not in pairs)
        raise FileFormatError(f"{path} has no counts of layer {layer} in iteration {iteration}")
    return iterations, layers
