"""eplb-opt warm-up: compile everything now, as when an image is built, so that no call has to."""

from __future__ import annotations

from eplb_opt.cli.tables import show
from eplb_opt.errors import EplbOptError


def run() -> int:
    """Compile all kernels and store them.

    No later call has to: a step of building a container image.
    """
    # These import the compiler.
    from eplb_opt.bounds.patterns import least_weight
    from eplb_opt.heuristics.packing import pack
    from eplb_opt.kernels.cache import lasting_folder
    from eplb_opt.kernels.local_search import descend
    from eplb_opt.plugins.loading import warm_up

    folder = lasting_folder(descend, pack, least_weight)
    if folder is None:
        raise EplbOptError("compiled code has no folder to last in: set NUMBA_CACHE_DIR to one that can be written")
    show(f"compiled code is in {folder}, made or loaded in {warm_up():.1f} s")
    return 0
