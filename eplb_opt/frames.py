"""Data frames: loads in memory, by the labels of their rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eplb_opt.columns import LongColumns, columns_of
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.long_table import LongTable

if TYPE_CHECKING:
    import pandas as pd


def values_of_frame(frame: Any) -> tuple[Any, tuple[int, ...]]:
    """Values and layer ids for `Loads`: one window from a row per layer, a window for each step from a row per count.

    Columns are named, and put in order, as `eplb_opt.columns.columns_of` says; so is the index, if it has a name. An
    index without a name gives the decoder layers unless it counts from 0: that one says nothing, as if the frame was
    an array. A series is one layer, and its index names the experts.

    Raises
    ------
    InvalidLoadsError
        Other names. Values that are no loads, and ids that are not increasing integers, are for `Loads` to refuse.
    """
    table: pd.DataFrame = frame if hasattr(frame, "columns") else frame.to_frame().T.reset_index(drop=True)
    if table.columns.nlevels > 1 or (table.index.nlevels > 1 and None in table.index.names):
        raise InvalidLoadsError("the data frame has labels of several levels; give one row of names, or reset_index()")
    if table.empty:
        raise InvalidLoadsError(f"the data frame of shape {table.shape} is empty")
    unnamed = table.index.nlevels == 1 and table.index.name is None
    table = table if unnamed else table.reset_index()
    columns = columns_of([_text(name) for name in table.columns], InvalidLoadsError)
    if isinstance(columns, LongColumns):
        return _long(table, columns)
    ids = None if columns.layer is None else _ids(table.iloc[:, columns.layer].tolist())
    if columns.index is not None or (ids is None and unnamed):
        index = (table.iloc[:, columns.index] if columns.index is not None else table.index).tolist()
        counts = index == list(range(len(index)))
        if ids is not None and not counts:
            raise InvalidLoadsError("column 1 without a name does not count the rows; name it or leave it out")
        ids = ids if counts else _ids(index)
    experts = table.iloc[:, list(columns.experts)]
    # Columns of different types would be rounded to one.
    values: Any = experts.to_numpy() if experts.dtypes.nunique() == 1 else experts.astype(object).to_numpy().tolist()
    return values, () if ids is None else ids


def _long(table: pd.DataFrame, columns: LongColumns) -> tuple[Any, tuple[int, ...]]:
    places = {key: getattr(columns, key) for key in ("layer", "expert", "count", "step", "rank")}
    cells = {key: table.iloc[:, place].tolist() for key, place in places.items() if place is not None}
    found = LongTable.of(cells, lambda row: f"row {row}", InvalidLoadsError)
    return found.values, found.layer_ids


def _ids(values: list[Any]) -> tuple[Any, ...]:
    # Pandas makes floats of integers where a row is missing.
    return tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in values)


def _text(name: Any) -> str:
    return "" if name is None else str(name)
