"""Data frames: loads in memory, by the labels of their rows and columns."""

from __future__ import annotations

import logging
import reprlib
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.columns import LongColumns, columns_of, layer_ids_of, says_expert
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.long_table import LongTable, last_expert, require_no_order

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


def values_of_frame(frame: Any) -> tuple[Any, tuple[int, ...]]:
    """Values and layer ids for `Loads`: one window from a row per layer, a window for each step from a row per count.

    Columns are named, and put in order, as `eplb_opt.columns.columns_of` says; so is the index, if it has a name. An
    index without a name gives the decoder layers unless it counts from 0: that one says nothing, as if the frame was
    an array. A series is one layer, and its index names the experts; with an index of several levels it is a row per
    count.

    Raises
    ------
    InvalidLoadsError
        Other names. Values that are no loads, and ids that are not increasing integers, are for `Loads` to refuse.
    """
    table: pd.DataFrame = frame if hasattr(frame, "columns") else _of_series(frame)
    if table.columns.nlevels > 1 or (table.index.nlevels > 1 and None in table.index.names):
        raise InvalidLoadsError("the data frame has labels of several levels; give one row of names, or reset_index()")
    if table.empty:
        raise InvalidLoadsError(f"the data frame of shape {table.shape} is empty")
    unnamed = table.index.nlevels == 1 and table.index.name is None
    named = table if unnamed else table.reset_index(allow_duplicates=True)
    columns = columns_of([_text(name) for name in named.columns], InvalidLoadsError)
    if isinstance(columns, LongColumns):
        return _long(named, columns)
    if table.columns.name is not None and not says_expert(_text(table.columns.name)):
        raise InvalidLoadsError(
            f"the columns are labelled {_text(table.columns.name)!r} and not expert; transpose them?"
        )
    layers = None if columns.layer is None else named.iloc[:, columns.layer].tolist()
    index = table.index.tolist() if layers is None and unnamed else None
    if columns.index is not None:
        index = named.iloc[:, columns.index].tolist()
    ids = layer_ids_of(layers, index, InvalidLoadsError)
    experts = named.iloc[:, list(columns.experts)]
    # Columns of different types would be rounded to one, and types of pandas' own become objects.
    kinds = set(experts.dtypes)
    numbers = len(kinds) == 1 and all(isinstance(kind, np.dtype) and kind.kind != "O" for kind in kinds)
    values: Any = experts.to_numpy() if numbers else experts.astype(object).to_numpy()
    # Lists in cells would become an axis of their own.
    lists = (cell for cell in values.flat if hasattr(cell, "__len__") and not isinstance(cell, str))
    if not numbers and (cell := next(lists, None)) is not None:
        raise InvalidLoadsError(f"the data frame holds {reprlib.repr(cell)} in a cell, no number")
    return values, () if ids is None else tuple(ids)


def _of_series(series: Any) -> Any:
    if series.index.nlevels > 1:
        return series.to_frame("count" if series.name is None else series.name)
    return series.to_frame().T.reset_index(drop=True)


def _long(table: pd.DataFrame, columns: LongColumns) -> tuple[Any, tuple[int, ...]]:
    places = {key: getattr(columns, key) for key in ("layer", "expert", "count", "step", "rank")}
    cells = {key: table.iloc[:, place].tolist() for key, place in places.items() if place is not None}
    require_no_order(cells, InvalidLoadsError)
    found = LongTable.of(cells, lambda row: f"row {row}", InvalidLoadsError)
    for doubt in last_expert(found.values):
        logger.warning("%s", doubt)
    return found.values, found.layer_ids


def _text(name: Any) -> str:
    return "" if name is None else str(name)
