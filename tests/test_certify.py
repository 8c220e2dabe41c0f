"""certify: whatever a file claims, the answer is a sentence."""

import importlib
import json

import eplb_opt
from eplb_opt import Deployment
from eplb_opt.certify import certify
from eplb_opt.io import read_solution


def test_a_forged_certificate_that_is_nested_too_deeply_is_no_proof(tmp_path, monkeypatch):
    eplb_opt.solve([[3, 2, 2, 1]], Deployment(2, 4)).save(tmp_path / "solution.json")
    content = json.loads((tmp_path / "solution.json").read_text())
    content["layers"][0]["proof"]["evidence"] = {"argument": "search"}
    (tmp_path / "solution.json").write_text(json.dumps(content))
    solution = read_solution(tmp_path / "solution.json")
    assert certify(solution, [[3, 2, 2, 1]])[0].error is None

    def deep(*_arguments, **_options):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(importlib.import_module("eplb_opt.acceptance"), "check", deep)
    (certified,) = certify(solution, [[3, 2, 2, 1]])
    assert not certified.checked
    assert certified.error == "its bound is not proven: maximum recursion depth exceeded"
