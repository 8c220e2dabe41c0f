"""What tests of arguments have in common."""

from dataclasses import asdict

from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError


def tokens(instance):
    return [weight * instance.unit for weight in instance.weights[0]]


def proves(argument, bound, instance):
    """Whether the checker takes an argument for a bound; it may only ever refuse by its own error."""
    try:
        return check({**argument, "bound": str(bound)}, [tokens(instance)], asdict(instance.deployment)) == bound
    except CertificateError:
        return False
