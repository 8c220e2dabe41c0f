"""Plans of the methods that a report is asked for, and why some have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, MethodError
from eplb_opt.loads import Loads
from eplb_opt.methods import Method
from eplb_opt.plan import Plan
from eplb_opt.solve import solve


@dataclass(frozen=True)
class MadePlans:
    """Plans by the names of their methods; and for every method why it has none, else an empty text."""

    plans: Mapping[str, Plan]
    errors: Mapping[str, str]


def made_plans(
    methods: Sequence[Method], taken: Sequence[str], loads: Loads, deployment: Deployment, settings: Mapping[str, Any]
) -> MadePlans:
    """What methods plan for the sum of the windows; `taken` are names of other plans, `settings` those of `solve`.

    Raises
    ------
    InvalidArgumentError
        A method that is called as another plan is.
    """
    plans: dict[str, Plan] = {}
    errors: dict[str, str] = {}
    for method in methods:
        name = str(method)
        if name in taken:
            raise InvalidArgumentError(f"a plan is called {name!r} already: leave it out of the methods")
        try:
            plans[name] = solve(loads, deployment, method=method, objective="total", **settings).plan
            errors[name] = ""
        except MethodError as error:
            errors[name] = str(error)
    return MadePlans(plans, errors)
