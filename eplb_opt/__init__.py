"""Expert placement for Mixture-of-Experts serving: plans with a proven bound.

Importing the package is fast: torch, ortools, pulp, numba and pandas load when they are first used.
"""

from eplb_opt.backtest import backtest
from eplb_opt.bounds.table import lower_bound
from eplb_opt.certify import certify
from eplb_opt.compare import compare
from eplb_opt.deployment import Deployment
from eplb_opt.diff import diff
from eplb_opt.drop_in import rebalance_experts
from eplb_opt.errors import EplbOptError
from eplb_opt.evaluate import evaluate
from eplb_opt.instance import Instance
from eplb_opt.io import read_loads, read_plan, write_plan
from eplb_opt.io.instances import read_library
from eplb_opt.io.native import read_solution
from eplb_opt.layer_solution import LayerSolution
from eplb_opt.loads import Loads
from eplb_opt.named_instance import NamedInstance
from eplb_opt.plan import Plan
from eplb_opt.replan import replan, replan_curve
from eplb_opt.replanned import Replan
from eplb_opt.size import size
from eplb_opt.solution import Solution
from eplb_opt.solve import solve
from eplb_opt.survival import survival
from eplb_opt.time_model import TimeModel
from eplb_opt.verify import verify

__version__ = "0.3.0"

__all__ = [
    "Deployment",
    "EplbOptError",
    "Instance",
    "LayerSolution",
    "Loads",
    "NamedInstance",
    "Plan",
    "Replan",
    "Solution",
    "TimeModel",
    "backtest",
    "certify",
    "compare",
    "diff",
    "evaluate",
    "lower_bound",
    "read_library",
    "read_loads",
    "read_plan",
    "read_solution",
    "rebalance_experts",
    "replan",
    "replan_curve",
    "size",
    "solve",
    "survival",
    "verify",
    "write_plan",
]


def __dir__() -> list[str]:
    """The public names: modules that Python binds here as they are imported are not among them."""
    return sorted([*__all__, "__version__"])
