"""Arrays that cannot change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def frozen_array(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy of `array`, which no caller holds a writable view of."""
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy
