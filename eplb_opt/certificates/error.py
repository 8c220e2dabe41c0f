"""The one error of the checker."""


class CertificateError(ValueError):
    """A certificate that does not prove its bound."""
