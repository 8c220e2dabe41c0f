"""Saved: a plan from a file that an engine is given in the place of planning.

An engine that loads the file of a plan by itself may keep only some of the replicas for each rank, see ``sglang.md``;
of a plan that it makes it keeps all.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, InvalidArgumentError, InvalidPlanError
from eplb_opt.full_table import numbered
from eplb_opt.io.content import read_content
from eplb_opt.io.engines import engine_of, parse_plan
from eplb_opt.io.recognition import ENGINES
from eplb_opt.plan import Plan
from eplb_opt.plugins.max_loads import hottest_loads
from eplb_opt.plugins.plain import Ints, even_rows

logger = logging.getLogger(__name__)

PLAN = "EPLB_OPT_PLAN"


@dataclass(frozen=True)
class SavedPlan:
    """A valid plan whose rows are decoder layers.

    Attributes
    ----------
    path
        Its file.
    plan
        What the file holds.
    knows_gpus
        Whether the file says how many GPUs there are.
    """

    path: str
    plan: Plan
    knows_gpus: bool

    def rows(self, values: NDArray[Any], deployment: Deployment) -> Ints:
        """Slot -> expert of all decoder layers, shape ``(layers, slots)``; layers without a plan get an even one.

        `values` are the loads in tokens that the engine asks with, shape ``(layers, experts)``; the plan is the same
        for all loads.

        Raises
        ------
        InvalidPlanError
            The plan is for other numbers of slots, experts, GPUs or layers than the engine asks for.
        """
        plan = self.plan
        sizes = [
            (plan.deployment.num_slots, deployment.num_slots, "slots, redundant experts included"),
            (plan.num_experts, values.shape[1], "experts"),
            (plan.num_model_layers, len(values), "decoder layers, those without experts included"),
        ]
        if self.knows_gpus:
            sizes.append((plan.deployment.num_gpus, deployment.num_gpus, "GPUs"))
        for mine, asked, what in sizes:
            if mine != asked:
                raise InvalidPlanError(
                    f"{PLAN}={self.path} is a plan for {mine} {what}, and the engine asks for {asked}: name a plan for "
                    "what is served"
                )
        rows = even_rows(values, deployment)
        rows[list(plan.layer_ids)] = plan.physical_to_logical
        self._tell(values, rows, deployment.num_gpus)
        return rows

    def _tell(self, values: NDArray[Any], rows: Ints, num_gpus: int) -> None:
        """One line for the log: how balanced the layers with load are."""
        loaded = values.any(axis=1)
        if not loaded.any() or not logger.isEnabledFor(logging.INFO):
            return
        top, total = hottest_loads(values[loaded], rows[loaded], num_gpus).sum(), values.sum(dtype=float)
        logger.info(
            "the plan of %s: imbalance %.4f on %d layers with load", self.path, top * num_gpus / total, loaded.sum()
        )


def saved_plan() -> SavedPlan | None:
    """The plan in the file that the variable ``EPLB_OPT_PLAN`` names; ``None`` where it is not set.

    The file is a plan or a solution of eplb_opt, or one that an engine loads, such as SGLang's map. It is read once.

    Raises
    ------
    InvalidArgumentError
        The file cannot be read, is no plan, breaks a rule of placement, or does not say which decoder layers its rows
        are.
    """
    path = os.environ.get(PLAN)
    if path is None:
        return None
    try:
        return _read(path)
    except EplbOptError as error:
        raise InvalidArgumentError(f"{PLAN}={path}: {error}") from None


@lru_cache(maxsize=1)
def _read(path: str) -> SavedPlan:
    if not path:
        raise InvalidArgumentError("it names no file; unset it, or name a plan")
    content = read_content(path)
    engine = engine_of(content)
    plan = parse_plan(content, engine)
    numbered(plan.labels, "decoder")
    if plan.deployment.gpu_slots is not None:
        raise InvalidPlanError("its GPUs have different numbers of slots, and those of an engine have equally many")
    return SavedPlan(path, plan, ENGINES[engine].knows_gpus)
