"""What vLLM-Ascend and vLLM make of a map, in a process of its own: ``python run_by_rank.py MAP.json TABLES.npz``.

In: ``rows``, the expert of each slot by layer, ``ranks``, ``experts`` and ``tokens``. Out: ``by_rank``, of shape
``(layers, ranks, experts)``, the slot that a rank of vLLM-Ascend asks, and ``hashed``, of shape ``(layers, slots)``,
how many of so many tokens, all of them for each expert, vLLM's kernel sends to each slot.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import run_vllm  # noqa: F401 - its stand-ins are needed here too


def Array(values):  # noqa: N802 - a class, made where NumPy is at hand
    """An array whose type can be asked for as in Triton."""
    import numpy as np

    class _Array(np.ndarray):
        def to(self, dtype):
            return self.astype(dtype).view(_Array)

    return np.asarray(values).view(_Array)


class Pointer:
    """A pointer to an array: with numbers added, its elements."""

    def __init__(self, array):
        self.array = array

    def __add__(self, places):
        return self.array, places


def hashed(kernel, row, experts, tokens):
    """Tokens that the kernel sends to each slot, where each of them asks all experts."""
    import numpy as np

    slots_of = [np.flatnonzero(row == expert) for expert in range(experts)]
    width = max(map(len, slots_of))
    table = np.array([np.pad(slots, (0, width - len(slots)), constant_values=-1) for slots in slots_of])
    asked = np.tile(np.arange(experts), tokens)
    sent = np.zeros(asked.size, dtype=np.int64)

    def load(pointer, mask=True, other=0):
        array, places = pointer
        passed = np.broadcast_to(mask, np.shape(places))
        return Array(np.where(passed, array[np.where(passed, places, 0)], other))

    def store(pointer, values, mask=None):
        array, places = pointer
        array[places[mask]] = values[mask]

    triton = SimpleNamespace(
        program_id=lambda axis: 0,
        arange=lambda start, end: Array(np.arange(start, end)),
        load=load,
        where=lambda *arguments: Array(np.where(*arguments)),
        maximum=lambda *arguments: Array(np.maximum(*arguments)),
        store=store,
        atomic_add=lambda *_, **__: None,
        int64=np.int64,
        constexpr=None,
    )
    scope = {"tl": triton}
    # The engine's own source, pinned by its hash.
    exec(compile(kernel, "kernel", "exec"), scope)
    counts, flags = np.array([len(slots) for slots in slots_of]), np.zeros(1)
    scope["_eplb_map_and_record_i32_kernel"](
        *map(Pointer, (asked, counts, table.ravel(), sent, np.zeros(row.size))),
        *((flags, np.zeros(1, int)), None, experts, width, row.size, asked.size, experts, False, asked.size),
    )
    return np.bincount(sent, minlength=row.size)


def kernel_of_vllm():
    """The source of the function that maps experts to replicas, without what compiles it for a GPU."""
    import vllm

    path = Path(vllm.__path__[0]) / "model_executor/layers/fused_moe/router/base_router.py"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == "_eplb_map_and_record_i32_kernel":
            node.decorator_list = []
            for argument in node.args.args:
                argument.annotation = None
            return ast.Module([node], [])
    raise LookupError(path)


def main(question: Path, answer: Path) -> None:
    """Make the tables."""
    import numpy as np
    import torch
    from vllm_ascend.eplb.core.eplb_utils import generate_log2phy_map

    asked = json.loads(question.read_text())
    rows, experts, ranks = np.array(asked["rows"]), asked["experts"], asked["ranks"]
    tables, kernel = [], kernel_of_vllm()
    for row in rows:
        maps = []
        for local in row.reshape(ranks, -1):
            of_rank = torch.full((experts,), -1, dtype=torch.int32)
            of_rank[torch.tensor(local)] = torch.arange(len(local), dtype=torch.int32)
            maps.append(of_rank)
        tables.append([generate_log2phy_map(maps, rank, tp_size=None).numpy() for rank in range(ranks)])
    np.savez(answer, by_rank=tables, hashed=[hashed(kernel, row, experts, asked["tokens"]) for row in rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
