"""Acceptance: a bound that is reported is called checked where the checker accepts its certificate."""

from __future__ import annotations

import logging
from dataclasses import replace

from eplb_opt.certificates.check import check
from eplb_opt.certificates.exact import exact_text
from eplb_opt.instance import Instance
from eplb_opt.move_limit import MoveLimit
from eplb_opt.objective import Objective
from eplb_opt.proof import REFUSED, Proof

logger = logging.getLogger(__name__)


def accepted(proof: Proof, instance: Instance, objective: Objective, limit: MoveLimit | None = None) -> Proof:
    """The proof as the checker sees it: itself, or where that refuses its certificate, no more than a word.

    A refusal is a fault of what found the evidence, or of the checker: the log says so. The bound stays, as bounds that
    nobody checked do, and is taken back where a plan contradicts it.
    """
    try:
        check_proof(proof, instance, objective, limit)
    # What is no certificate at all can also be nested too deeply.
    except (ValueError, RecursionError) as error:
        logger.warning("%s: the certificate of a bound does not hold (%s): %s", REFUSED, proof.argument, error)
        return replace(proof, checked=False, by=REFUSED, evidence=None)
    return replace(proof, checked=True)


def check_proof(proof: Proof, instance: Instance, objective: Objective, limit: MoveLimit | None = None) -> None:
    """Check the certificate of a bound on the plans of a layer, within a limit on moves if there is one.

    The bound is about all windows that were recorded.

    Raises
    ------
    CertificateError
        It does not prove the bound, or there is none.
    ValueError, RecursionError
        It cannot be read: numbers of thousands of digits, or objects in each other.
    """
    check(
        {**(proof.certified or {}), "bound": exact_text(proof.bound)},
        instance.weights,
        {**instance.deployment.facts, **({} if limit is None else limit.rules)},
        objective=objective.kind,
        window_weights=objective.window_weights,
        unit=instance.unit,
    )
