"""OwnMethod: a function of the caller's that plans as DeepSeek's EPLB does, beside the methods that have a name."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutine, unwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, MethodError
from eplb_opt.loads import Loads
from eplb_opt.returned_plan import slots_of

if TYPE_CHECKING:
    from eplb_opt.heuristics.batch import Placement

# Characters of an exception's message that a sentence repeats.
_MOST_WORDS = 200


@dataclass(frozen=True)
class OwnMethod:
    """A method of one's own: ``function(weight, num_replicas, num_groups, num_nodes, num_gpus)``.

    Source of the signature: DeepSeek-AI, https://github.com/deepseek-ai/EPLB. ``weight`` is a float32 tensor on the CPU
    of shape ``(layers, experts)``, in tokens, a new one in each call. ``num_replicas`` is the number of slots. Where
    groups are bound to nodes, ``num_groups`` is a multiple of ``num_nodes``; elsewhere ``num_groups`` is 1, which the
    published function takes for "any expert on any GPU" as well, and ``num_nodes`` is 1 where nodes do not divide the
    GPUs.

    It returns ``phy2log``, slot -> expert of shape ``(layers, slots)``, as a tensor, an array or nested lists; or a
    tuple ``(phy2log, log2phy, logcnt)``, whose parts have to agree; or an `eplb_opt.Plan`.

    Attributes
    ----------
    name
        As tables show it.
    function
        What plans.
    code
        A fingerprint of the file that it is from; empty if it is from none.
    """

    name: str
    function: Callable[..., Any]
    code: str = ""

    def __str__(self) -> str:
        return self.name

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self.function(*arguments)

    def ask(self, weight: NDArray[Any], deployment: Deployment) -> Any:
        """What the function returns for loads of shape ``(layers, experts)``, in tokens; nobody has looked at it yet.

        Raises
        ------
        MethodError
            The function raised an exception; one sentence says what.
        """
        # Torch loads here and not with the package.
        import torch

        given = torch.tensor(np.asarray(weight, dtype=np.float64), dtype=torch.float32)
        nodes = deployment.num_nodes if deployment.ranks_per_node else 1
        try:
            answer = self(given, deployment.num_slots, deployment.binding_groups, nodes, deployment.num_gpus)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # what is not ours may raise anything: `sys.exit`, a panic of Rust
            raise MethodError(f"{self.name} raised {in_words(error, _file_of(self.function))}") from error
        if iscoroutine(answer):
            # It is refused as what it is; left open, it would warn of itself later.
            answer.close()
        return answer

    def checked(self, answer: Any, weight: NDArray[Any], deployment: Deployment) -> Placement:
        """What the function returned as plans by the rules of the deployment.

        Where replicas must be distinct, those that it doubled up on a GPU are exchanged, as for published heuristics,
        and counted (`eplb_opt.heuristics.parting`).

        Raises
        ------
        MethodError
            It is no valid plan; one sentence says why.
        InvalidDeploymentError
            GPUs with different numbers of slots, or no room.
        """
        # Kernels load here and not with the package.
        from eplb_opt.heuristics.parting import parted

        deployment.require_equal_slots("methods of one's own are")
        deployment.require_room_for(weight.shape[1])
        try:
            slots = slots_of(answer, weight.shape, deployment)
        except EplbOptError as error:
            raise MethodError(f"{self.name} returned no valid plan: {error}") from error
        return parted(slots, np.asarray(weight, dtype=np.float64), deployment)

    def place(self, weight: NDArray[Any], deployment: Deployment) -> Placement:
        """The plans of the function, asked and checked; `weight` of shape ``(layers, experts)``, in tokens."""
        return self.checked(self.ask(weight, deployment), weight, deployment)


def summed(loads: Loads) -> NDArray[np.float64]:
    """What published heuristics plan for: the sum of the windows, shape ``(layers, experts)``."""
    total: NDArray[np.float64] = loads.values.sum(axis=0, dtype=np.float64)
    return total


def in_words(error: BaseException, file: str = "") -> str:
    """Type and message of an exception in one sentence, with the last line of `file` that led to it."""
    message = " ".join(str(error).split())
    said = message if len(message) <= _MOST_WORDS else f"{message[:_MOST_WORDS]}..."
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" (line {lines[-1]} of {Path(file).name})" if lines else ""
    return f"{type(error).__name__}{': ' * bool(said)}{said}{where}"


def _file_of(function: Callable[..., Any]) -> str:
    """The file that a function is written in; empty if that is not known."""
    inner = unwrap(function)
    while isinstance(inner, partial):
        inner = inner.func
    code = getattr(inner, "__code__", None)
    return "" if code is None else str(code.co_filename)
