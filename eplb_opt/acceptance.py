"""Acceptance: a bound is called checked where the checker accepts its certificate, and nowhere else."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

from eplb_opt.bounds.certificate import check_certificate
from eplb_opt.bounds.window_certificate import check_window_certificate
from eplb_opt.exact import exact_text
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.proof import REFUSED, Proof

logger = logging.getLogger(__name__)


def accepted(proof: Proof, instance: Instance, objective: Objective) -> Proof:
    """The proof as the checker sees it: itself, or where that refuses its certificate, no more than a word.

    A refusal is a fault of what found the evidence, or of the checker: the log says so. The bound stays, as bounds that
    nobody checked do, and is taken back where a plan contradicts it.
    """
    try:
        check_proof(proof, instance, objective)
    # What is no certificate at all can also be nested too deeply.
    except (ValueError, RecursionError) as error:
        logger.warning("%s: the certificate of a bound does not hold (%s): %s", REFUSED, proof.argument, error)
        return replace(proof, checked=False, by=REFUSED, evidence=None)
    return replace(proof, checked=True)


def check_proof(proof: Proof, instance: Instance, objective: Objective) -> None:
    """Check the certificate of a bound on the plans of a layer, of all windows that were recorded.

    Raises
    ------
    CertificateError
        It does not prove the bound, or there is none.
    ValueError, RecursionError
        It cannot be read: numbers of thousands of digits, or objects in each other.
    """
    certificate = {**(proof.certified or {}), "bound": exact_text(proof.bound)}
    rules = asdict(instance.deployment)
    loaded = instance.total() if objective.kind == "total" else instance.loaded()
    if loaded.num_windows == 1:
        (mean,) = loaded.mean_loads
        if objective.kind in ("mean", "worst"):
            if not mean:
                # Without any load the imbalance is 1 by definition.
                return
            certificate["bound"] = exact_text(proof.bound * mean)
        check_certificate(certificate, loaded.weights[0], rules, loaded.unit)
        return
    weights = instance.weights_of_loaded(objective.window_weights) if objective.kind == "mean" else None
    check_window_certificate(certificate, loaded.weights, rules, weights)
