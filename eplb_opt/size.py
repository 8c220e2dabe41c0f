"""size: deployments side by side, in the units in which one is chosen."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from eplb_opt.arguments import effort, finite_number
from eplb_opt.deployment import Dispatch
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io.model_config import find_model
from eplb_opt.limits import usable_cores
from eplb_opt.loads import Loads
from eplb_opt.model import Model
from eplb_opt.sizing.deployments import deployments
from eplb_opt.sizing.points import Point, Search
from eplb_opt.sizing.rows import rows_of
from eplb_opt.sizing.sharing import shared
from eplb_opt.step import Step
from eplb_opt.time_model import TimeModel

if TYPE_CHECKING:
    import pandas as pd

# Parts of the hottest GPU's load that are not worth a slot per GPU.
LEAST_GAIN = 0.01


def size(
    loads: Any,
    gpus: Sequence[int],
    *,
    slots_per_gpu: Sequence[int] | None = None,
    policies: Sequence[str] | None = None,
    gpus_per_node: int | None = None,
    num_groups: int | None = None,
    dispatch: Dispatch = "even",
    model: Model | str | os.PathLike[str] | None = None,
    time_model: TimeModel | str | None = None,
    tokens_per_gpu: float | None = None,
    least_gain: float = LEAST_GAIN,
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """What each deployment can reach, what it costs, and what a larger one could still gain.

    Parameters
    ----------
    loads
        As in `eplb_opt.solve`.
    gpus
        Numbers of GPUs.
    slots_per_gpu
        Sizes to try; those that cannot hold the experts are left out. Default: the fewest that hold them, and three
        more.
    policies
        Of ``"hierarchical"`` and ``"global"``; default: those that apply.
    gpus_per_node
        Default: 8 where that divides the GPUs, else one node.
    num_groups
        Expert groups; default: those of `model`, else 1.
    dispatch
        As in `eplb_opt.Deployment`.
    model
        A model, its name or its ``config.json``: memory, expert groups and the experts of a token come from it.
    time_model, tokens_per_gpu
        A `TimeModel`, or the name of a preset or of a file with one; and the tokens that each GPU brings to a step.
    least_gain
        A smaller part of the hottest GPU's load is not worth more slots.
    time_limit
        Wall-clock seconds of all searches. First plans and bounds of each deployment are always made, which is seconds
        for each.
    seed, workers
        As in `eplb_opt.solve`.
    progress
        Told in words what comes next.

    Returns
    -------
    pandas.DataFrame
        One row per deployment, by ``gpus``, ``policy`` and ``slots_per_gpu``; ``nodes``, ``dispatch``, ``slots`` and
        ``redundant`` slots of a layer. Figures are over the layers with load:

        - ``imbalance`` of the plan and its proven ``bound``: sum of max loads / sum of mean loads; of several windows
          the mean over windows and layers of max / mean. ``balancedness`` = 1 / imbalance; ``gap``.
        - ``to_gain``: no plan with any number of slots on these GPUs, under the same policy, is smaller by more than
          this part. ``knee``: the first row where that is at most `least_gain`.
        - ``held_out``: mean balancedness on windows that a plan was not made for, each left out once; ``NaN`` of one
          window.
        - ``uneven``: the fewest redundant slots, in the mean over layers, with which plans of the listed sizes do as
          well, to within `least_gain`, if each layer may have its own; ``NaN`` under ``"sglang-static"``, where layers
          depend on each other. ``uneven_least``: proven, no fewer do.
        - ``gib``: experts' weights on a GPU, in GiB of 2**30 bytes. ``kv_tokens``: tokens of KV cache for which there
          would be room with the fewest slots. ``NaN`` where no model tells.
        - ``milliseconds``: time of all layers' experts in a step, see `eplb_opt.step`; ``least_milliseconds``: no plan
          is faster. Only with a time model.
        - ``seconds`` that the deployment took.

        A Ctrl-C ends it early, with the deployments that were done, and ``attrs["interrupted"]`` says so.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError, FileFormatError
        Wrong input; one sentence says what and how to mend it.

    Notes
    -----
    Deployments that differ in their policy or in their slots share plans, and those that differ in their policy bounds:
    see `eplb_opt.sizing.sharing`. Between numbers of slots no bound holds, as all slots are filled: on two GPUs loads
    of 4, 3, 2 and 1 tokens split evenly over two slots each, 4 + 1 and 3 + 2, and over three slots each they do not.
    """
    import pandas as pd

    loads = Loads.of(loads)
    effort(time_limit, 0.0, seed, workers)
    if not 0 <= finite_number("least_gain", least_gain) < 1:
        raise InvalidArgumentError(f"least_gain={least_gain!r} is not in [0, 1)")
    model = model if model is None or isinstance(model, Model) else find_model(model)
    step = Step.of(time_model, tokens_per_gpu, model)
    groups = num_groups if num_groups is not None else 1 if model is None else model.num_groups
    points = deployments(loads.num_experts, gpus, slots_per_gpu, policies, gpus_per_node, groups, dispatch)
    search = Search(loads, time_limit, seed, workers or usable_cores(), progress)
    done: list[Point] = []
    # What is known of other deployments is worth minutes: Ctrl-C does not lose it, wherever it comes.
    with suppress(KeyboardInterrupt):
        done.extend(search.points(points))
    sizes = pd.DataFrame(rows_of(loads, shared(done, loads), model, step, least_gain))
    sizes.attrs["interrupted"] = len(done) < len(points)
    return sizes
