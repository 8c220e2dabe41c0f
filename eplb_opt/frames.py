"""Data frames: loads in memory, rows are layers and columns are experts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eplb_opt.errors import InvalidLoadsError
from eplb_opt.loads import Loads

if TYPE_CHECKING:
    import pandas as pd

_ID_COLUMNS = ("layer", "layer_id")


def loads_of_frame(frame: pd.DataFrame) -> Loads:
    """Loads of one window.

    An index or a column that is called ``layer`` or ``layer_id`` gives the decoder layers, and so does an index
    without such a name unless it counts from 0: that one says nothing, as if the frame was an array.

    Raises
    ------
    InvalidLoadsError
        Values that are no loads, ids that are not increasing integers, or columns that are numbers and not experts
        from 0 on.
    """
    for name in _ID_COLUMNS:
        if name in frame.columns:
            frame = frame.set_index(name)
    columns, ids = [str(column) for column in frame.columns], frame.index.tolist()
    if all(map(str.isdigit, columns)) and columns != [str(expert) for expert in range(len(columns))]:
        raise InvalidLoadsError(
            f"columns are not experts 0 to {len(columns) - 1} in order: {', '.join(columns[:5])}..."
        )
    # Columns of different types would be rounded to one.
    values: Any = frame.to_numpy() if frame.dtypes.nunique() == 1 else frame.astype(object).to_numpy().tolist()
    if frame.index.name not in _ID_COLUMNS and ids == list(range(len(ids))):
        return Loads(values)
    return Loads(values, tuple(ids))
