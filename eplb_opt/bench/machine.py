"""Machine: what seconds depend on, without the name of anybody's computer."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from eplb_opt.limits import usable_cores

# By the names that they are installed by; CBC comes with the last.
_PACKAGES = ("ortools", "highspy", "PuLP", "cbcbox", "numpy", "numba")
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """Where runs were made, and with what.

    Attributes
    ----------
    processor
        Its name, as far as the system tells it.
    cores
        Those that the process may run on.
    memory_gib
        Of the whole machine, in GiB; ``None`` where the system does not tell it.
    system
        Name and version of the operating system.
    versions
        Of this package, of Python, and of what results and seconds depend on; ``"none"`` for what is not installed.
    """

    processor: str
    cores: int
    memory_gib: float | None
    system: str
    versions: Mapping[str, str]

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        system = f"{platform.system()} {platform.release()}"
        return cls(_processor(), usable_cores(), _memory_gib(), system, _versions())

    @property
    def columns(self) -> dict[str, object]:
        """Everything by name, as in a row of a table."""
        about = {"processor": self.processor, "cores": self.cores, "memory_gib": self.memory_gib}
        return {**self.versions, **about, "system": self.system}

    def __str__(self) -> str:
        memory = "" if self.memory_gib is None else f", {self.memory_gib:.0f} GiB"
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items() if number != "none")
        return f"{versions}; {self.processor}, {self.cores} core{'s' * (self.cores > 1)}{memory}, {self.system}"


def _versions() -> dict[str, str]:
    import eplb_opt

    return {
        "eplb_opt": eplb_opt.__version__,
        "Python": platform.python_version(),
        **{name: _version_of(name) for name in _PACKAGES},
    }


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _processor() -> str:
    """The model's name; Linux tells `platform` no more than the architecture."""
    try:
        lines = _CPU_INFO.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(filter(None, (*models, platform.processor(), platform.machine())), "unknown")


def _memory_gib() -> float | None:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    return round(pages * size / 2**30, 1) if pages > 0 else None
