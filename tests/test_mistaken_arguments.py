"""What stands in the place of something else is refused in one sentence, by every public function."""

from pathlib import Path

import pytest

import eplb_opt
from eplb_opt.errors import EplbOptError, InvalidArgumentError

MODELS = Path(__file__).resolve().parents[1] / "models"
NAMED = next(named for named in eplb_opt.read_library(MODELS) if named.name == "eight-experts")
LOADS, SOLUTION, DEPLOYMENT, PLAN = NAMED.loads, NAMED.best, NAMED.deployment, NAMED.best.plan
CALLS = {
    "lower_bound": (LOADS, DEPLOYMENT),
    "solve": (LOADS, DEPLOYMENT),
    "compare": (LOADS, DEPLOYMENT),
    "backtest": (LOADS, DEPLOYMENT),
    "evaluate": (PLAN, LOADS),
    "verify": (PLAN,),
    "certify": (SOLUTION, LOADS),
    "diff": (PLAN, PLAN),
    "replan": (PLAN, LOADS),
    "replan_curve": (PLAN, LOADS, [0]),
    "size": (LOADS, [8]),
    "survival": (PLAN,),
    "write_plan": (PLAN, "plan.json"),
    "Plan": (PLAN.physical_to_logical, DEPLOYMENT, 8),
    "read_plan": ("plan.json",),
    "read_solution": ("solution.json",),
    "read_library": ("models",),
}
PLACES = [(name, place) for name, arguments in CALLS.items() for place in range(len(arguments))]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_nothing_else_is_taken_and_one_sentence_says_so(name, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for wrong in (None, -1, 1.5, object(), lambda: 1, b"\0", NAMED):
        arguments = list(CALLS[name])
        arguments[place] = wrong
        with pytest.raises(EplbOptError) as caught:
            getattr(eplb_opt, name)(*arguments)
        assert "\n" not in str(caught.value) and str(caught.value)


def test_the_way_to_a_deployment_is_told():
    for wrong, way in ((NAMED, "deployment"), (PLAN, "deployment"), (SOLUTION, "plan.deployment")):
        with pytest.raises(InvalidArgumentError, match=rf"is not a Deployment; give its \.{way}$"):
            eplb_opt.solve(LOADS, wrong)
    with pytest.raises(InvalidArgumentError, match=r"^deployment=None is not a Deployment$"):
        eplb_opt.backtest(LOADS, None)
