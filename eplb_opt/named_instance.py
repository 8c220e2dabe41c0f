"""NamedInstance: a layer's loads, a deployment and an objective under a name, and the best that is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.solution import Solution


@dataclass(frozen=True, eq=False)
class NamedInstance:
    """An instance of a library.

    Attributes
    ----------
    name
        Stem of its files.
    loads
        Of one layer, shape ``(windows, 1, experts)``.
    deployment, objective
        As in `eplb_opt.solve`.
    optimum
        Smallest objective, as two independent provers found it; ``None`` while it is open.
    proven_by
        Who proved the optimum, or the best bound, each by himself: ``"certificate"`` (checked by
        `eplb_opt.certificates`), those on whose words it rests (see `eplb_opt.proof.Proof.by`), or solvers of the
        whole model.
    source
        Where the loads come from.
    best
        The best plan and bound that the library has, with what proves the bound; ``None`` where it has none.
    """

    name: str
    loads: Loads
    deployment: Deployment
    objective: str
    optimum: Fraction | None
    proven_by: tuple[str, ...]
    source: str
    best: Solution | None = None

    @property
    def instance(self) -> Instance:
        """Exact loads and rules."""
        return Instance.from_loads(self.loads.values[:, 0], self.deployment)
