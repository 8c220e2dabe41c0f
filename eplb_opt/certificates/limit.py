"""How much work a certificate may ask for: a small file could keep its reader busy for years."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eplb_opt.certificates.error import CertificateError


class WorkLimit:
    """What may be spent on checking one certificate, in nanoseconds or so, and how deep its arguments may be nested."""

    def __init__(self, nanoseconds: int = 10**10, depth: int = 4) -> None:
        self._left, self._depth = nanoseconds, depth

    def spend(self, nanoseconds: int) -> None:
        """Count what is about to be done.

        Raises
        ------
        CertificateError
            It is too much.
        """
        self._left -= nanoseconds
        if self._left < 0:
            raise CertificateError("it would take too long to check")

    @contextmanager
    def nested(self) -> Iterator[None]:
        """While arguments inside of an argument are checked.

        Raises
        ------
        CertificateError
            They are nested too deeply.
        """
        if not self._depth:
            raise CertificateError("partitions are nested too deeply")
        self._depth -= 1
        yield
        self._depth += 1
