"""Engine: how plans of an engine are read and written, and served; each adapter says it of its own engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.io.content import Content
from eplb_opt.io.mappings import Given
from eplb_opt.io.start import StartLine
from eplb_opt.layers import Numbering
from eplb_opt.plan import Plan


@dataclass(frozen=True)
class Serving:
    """A dispatch that an engine does.

    Attributes
    ----------
    dispatch
        Which replica serves a source.
    settings
        What makes the engine do it, in words; ``""`` where it does nothing else.
    """

    dispatch: Dispatch
    settings: str = ""


@dataclass(frozen=True)
class Engine:
    """How plans of an engine are read and written, and served.

    Attributes
    ----------
    title
        What people call it.
    holds
        Whether a file is a plan of this engine; at most one engine says yes.
    parse
        Plan of a file, not yet verified; what was given completes it or contradicts it.
    format
        Content of the file of this name for a valid plan.
    demands
        What the engine asks of a plan beyond the rules of placement, a sentence for each violation.
    start_line
        What makes the engine take the file of this name.
    suffixes
        Names of its files end in one of these, where the engine tells kinds of files by their names.
    numbering
        How its files count layers, which nobody else can change; ``None``: as the plan does.
    no_draft_layers
        Why a file has no place for rows of draft layers, in words; ``""`` where it has.
    facts
        What a file says of its deployment, as arguments of `Deployment`, if it says how many GPUs there are.
    servings
        The dispatches that the engine does, with a plan from a file that its start line names the first; none where it
        is no engine.
    ships_eplb
        Whether it rearranges experts by DeepSeek's EPLB, unless it is told otherwise.
    equal_slots
        Whether all GPUs have equally many slots there.
    """

    title: str
    holds: Callable[[Content], bool]
    parse: Callable[[Content, Given], Plan]
    format: Callable[[Plan, str], bytes | str]
    demands: Callable[[Plan], Iterator[str]]
    start_line: Callable[[str, Plan], StartLine]
    suffixes: tuple[str, ...] = ()
    numbering: Numbering | None = None
    no_draft_layers: str = ""
    facts: Callable[[Content], dict[str, Any]] | None = None
    servings: tuple[Serving, ...] = ()
    ships_eplb: bool = False
    equal_slots: bool = True

    @property
    def knows_gpus(self) -> bool:
        """Whether the file says how many GPUs there are."""
        return self.facts is not None

    @property
    def dispatch(self) -> Dispatch:
        """What plans for its files are made for, unless something else is asked for."""
        return self.servings[0].dispatch if self.servings else "even"

    def serving_words(self, deployment: Deployment) -> str:
        """The dispatch that plans of a deployment are made for, and how the engine does it, in words."""
        dispatch = deployment.dispatch
        found = next((serving for serving in self.servings if serving.dispatch == dispatch), None)
        if found is None:
            return f"dispatch {dispatch}" + (f", which {self.title} does not do" if self.servings else "")
        return f"dispatch {dispatch}: {self.title}" + (f" {found.settings}" if found.settings else "")

    def refused_slots(self, deployment: Deployment) -> Iterator[str]:
        """That the engine has no GPUs with different numbers of slots, if the deployment has."""
        if self.equal_slots and deployment.gpu_slots is not None:
            sizes = f"{min(deployment.gpu_slots)} to {max(deployment.gpu_slots)}"
            yield f"{self.title} has equally many slots on every GPU, and the deployment has {sizes} (gpu_slots)"

    def require_name(self, path: str | os.PathLike[str]) -> None:
        """Refuse a file name by which the engine would not know the file: a `FileFormatError`."""
        if self.suffixes and not str(path).endswith(self.suffixes):
            raise FileFormatError(
                f"{path} does not end in {' or '.join(self.suffixes)}, by which {self.title} knows the file"
            )

    def require_draft_layers(self, count: int) -> None:
        """Refuse rows of draft layers where the file has no place for them: an `InvalidArgumentError`."""
        if count and self.no_draft_layers:
            raise InvalidArgumentError(f"draft_layers={count}, but {self.no_draft_layers}: leave it out")
