"""Transfers in plan files: read back, and held against the plan that they lead to."""

from __future__ import annotations

import reprlib
from itertools import chain
from typing import Any

import numpy as np

from eplb_opt.errors import FileFormatError
from eplb_opt.io.record import Record
from eplb_opt.moves import Ints
from eplb_opt.plan import Plan
from eplb_opt.transfers import Transfers

_BEYOND_ANY_ID = 2**31


def parse_transfers(record: Record, plan: Plan) -> Transfers:
    """The transfers under ``"transfers"`` of a plan file, see `eplb_opt.document.transfers_list`.

    Raises
    ------
    FileFormatError
        A layer twice or that the plan does not have, a batch in which a GPU sends or receives twice, or an expert that
        the plan does not have on the GPU that gets it.
    """
    tables, loaded = [np.empty((0, 5), dtype=np.int64)], [np.empty((0, 3), dtype=np.int64)]
    seen: set[int] = set()
    for layer in record.records("transfers"):
        layer_id = layer.get("layer_id", int)
        if layer_id in seen or layer_id not in plan.layer_ids:
            raise FileFormatError(f"{layer.name} is layer {layer_id}: {plan.labels} have one each")
        seen.add(layer_id)
        row = plan.layer_ids.index(layer_id)
        holds = plan.deployment.gpus.table(plan.physical_to_logical[[row]], filler=-1)[0]
        for batch, triples in enumerate(layer.get("batches", list)):
            name = f"{layer.name}, batch {batch}"
            rows = _rows(triples, "sender, receiver, expert", name)
            _require_matching(rows, len(holds), name)
            _require_there(rows[:, 1:], holds, name)
            tables.append(np.insert(rows, [0, 0], [row, batch], axis=1))
        rest = _rows(layer.get("loaded", list), "gpu, expert", f"{layer.name}, 'loaded'")
        _require_there(rest, holds, f"{layer.name}, 'loaded'")
        loaded.append(np.insert(rest, 0, row, axis=1))
    return Transfers.of(plan.layer_ids, np.concatenate(tables), np.concatenate(loaded))


def _rows(values: Any, words: str, name: str) -> Ints:
    """A list of lists of as many ids as there are `words`."""
    width = words.count(",") + 1
    if type(values) is not list or not all(type(row) is list and len(row) == width for row in values):
        raise FileFormatError(f"{name} is {reprlib.repr(values)}, not a list of [{words}]")
    for number in chain.from_iterable(values):
        if type(number) is not int or not 0 <= number < _BEYOND_ANY_ID:
            raise FileFormatError(f"{name}: {reprlib.repr(number)} is none of {words}")
    return np.array(values, dtype=np.int64).reshape(-1, width)


def _require_matching(rows: Ints, num_gpus: int, name: str) -> None:
    sender, receiver = rows[:, 0], rows[:, 1]
    for what, gpus in (("sends", sender), ("receives", receiver)):
        different, times = np.unique(gpus, return_counts=True)
        for gpu in different[times > 1]:
            raise FileFormatError(f"{name}: GPU {gpu} {what} more than once")
    for gpu in sender[(sender >= num_gpus) | (sender == receiver)]:
        raise FileFormatError(f"{name}: GPU {gpu} cannot send: it is the receiver, or GPUs end at {num_gpus - 1}")


def _require_there(rows: Ints, holds: Ints, name: str) -> None:
    for gpu, expert in rows.tolist():
        if gpu >= len(holds) or expert not in holds[gpu]:
            raise FileFormatError(f"{name}: the plan has no expert {expert} on GPU {gpu}")
