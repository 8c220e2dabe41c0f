"""Exceptions: one base class, each child also a built-in, each message one sentence with the way out."""


class EplbOptError(Exception):
    """Base of every error that eplb_opt raises on purpose."""


class InvalidArgumentError(EplbOptError, ValueError):
    """An argument outside its allowed values."""


class InvalidDeploymentError(EplbOptError, ValueError):
    """A deployment that cannot exist, or that cannot hold the experts of a model."""


class InvalidLoadsError(EplbOptError, ValueError):
    """Loads of a wrong shape or type, or with values that are no token counts."""


class InvalidPlanError(EplbOptError, ValueError):
    """A mapping that is no plan; `violations` lists every broken rule in words, `way_out` says what would allow it."""

    def __init__(self, message: str, violations: tuple[str, ...] = (), way_out: str = "") -> None:
        super().__init__(f"{message}; {way_out}" if way_out else message)
        self.violations = violations or (message,)
        self.way_out = way_out


class FileFormatError(EplbOptError, ValueError):
    """A file that cannot be read or written, or whose content is not what its format says."""


class MissingPackageError(EplbOptError, ImportError):
    """An optional package that is needed now and is not installed."""


class SolverError(EplbOptError, RuntimeError):
    """A solver that failed, was ended, or contradicted a checked fact."""


class MethodError(EplbOptError, RuntimeError):
    """A method of the caller's own that failed, or returned what is no plan for what it was given."""
