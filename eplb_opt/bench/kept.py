"""Kept: finished runs as files of a folder, so that a command that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from eplb_opt.bench.machine import Machine
from eplb_opt.bench.run import Run, Settings
from eplb_opt.bench.suite import Case
from eplb_opt.errors import EplbOptError, FileFormatError
from eplb_opt.files import parse_json, read_text, require_writable, write_whole
from eplb_opt.io.content import Content
from eplb_opt.io.native import parse_solution
from eplb_opt.io.record import Record
from eplb_opt.solution import solution_object

_FORMAT, _VERSION = "eplb_opt.run", 1


@dataclass(frozen=True)
class KeptRuns:
    """A file per run in a folder, each whole or not there.

    Attributes
    ----------
    folder
        Made when it is first written to.
    settings, machine
        Those of the runs: seconds of another processor, number of cores, or version are not to be compared.
    code
        Fingerprints of the files that methods of one's own are from, by the names of these methods.
    """

    folder: Path
    settings: Settings
    machine: Machine
    code: Mapping[str, str] = field(default_factory=dict)

    def open(self, cases: Sequence[Case], methods: Sequence[str]) -> dict[tuple[str, str], Run]:
        """Runs that are there, by the names of case and method; the folder is made if it is not there.

        Raises
        ------
        FileFormatError
            A file that is damaged, or of a run that would come out otherwise now: the sentence says by what, and how to
            go on. Or a folder that cannot be written to.
        """
        found = {}
        for case in cases:
            for method in methods:
                path = self._path(case, method)
                if path.exists():
                    found[case.name, method] = self._read(path, case, method)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileFormatError(f"{self.folder} cannot be made: {error.strerror}") from None
        require_writable(self.folder / "run.json")
        return found

    def write(self, run: Run) -> None:
        """Keep a finished run."""
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            **self._conditions(run.case, run.method),
            "memory_gib": run.machine.memory_gib,
            "system": run.machine.system,
            "seconds": run.seconds,
            "thread_seconds": run.thread_seconds,
            "solution": solution_object(run.solution),
        }
        content["checksum"] = _checksum(content)
        write_whole(self._path(run.case, run.method), json.dumps(content) + "\n")

    def _path(self, case: Case, method: str) -> Path:
        # Not every system allows colons in names, and files of methods may be told apart by their folders.
        name = method.translate(str.maketrans(":/\\", "---"))
        return self.folder / f"{case.name}.{name}.json"

    def _conditions(self, case: Case, method: str) -> dict[str, Any]:
        """What a run depends on, in the order in which a difference is told."""
        return {
            "case": case.name,
            "method": method,
            **({"code": self.code[method]} if method in self.code else {}),
            "loads": digest(case),
            **asdict(self.settings),
            "versions": dict(self.machine.versions),
            "processor": self.machine.processor,
            "cores": self.machine.cores,
        }

    def _read(self, path: Path, case: Case, method: str) -> Run:
        try:
            record = Record(str(path), parse_json(read_text(path), str(path)))
            record.choice("format", [_FORMAT])
            record.choice("version", [_VERSION])
            rest = {key: value for key, value in record.values.items() if key != "checksum"}
            if record.get("checksum", str) != _checksum(rest):
                raise FileFormatError(f"{path} is not as it was written: its checksum is another one")
            self._require_same(record, case, method)
            solution = parse_solution(Content(f"{path}, 'solution'", "json", record.record("solution").values))
            seconds, thread_seconds = record.seconds("seconds"), record.seconds("thread_seconds")
            memory = None if record.values.get("memory_gib") is None else record.get("memory_gib", float)
            machine = replace(self.machine, memory_gib=memory, system=record.get("system", str))
        except EplbOptError as error:
            raise FileFormatError(
                f"{error}; keep these runs in another folder, or remove the file to run it again"
            ) from None
        return Run(case, method, solution, seconds, thread_seconds, self.settings.workers, machine)

    def _require_same(self, record: Record, case: Case, method: str) -> None:
        expected = _flat(self._conditions(case, method))
        written = _flat(record.values | {"versions": record.record("versions").values})
        for key, now in expected.items():
            before = written.get(key)
            if before != now and key == "code":
                raise FileFormatError(f"{record.name} was made with another {method.partition(':')[0]}")
            if before != now and key == "loads":
                raise FileFormatError(f"{record.name} is of other loads, another deployment or another objective")
            if before != now:
                raise FileFormatError(f"{record.name} was made with {key}={reprlib.repr(before)}, not {now!r}")


def digest(case: Case) -> str:
    """A fingerprint of what `solve` is given of a case: loads, deployment and objective."""
    values = np.ascontiguousarray(case.loads.values)
    about = [str(values.dtype), values.shape, case.loads.layer_ids, case.deployment.facts, case.objective]
    return hashlib.sha256(json.dumps(about).encode() + values.tobytes()).hexdigest()


def _checksum(content: dict[str, Any]) -> str:
    """Of everything that a file holds: a number that is wrong by a digit is not seen otherwise."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _flat(conditions: dict[str, Any]) -> dict[str, Any]:
    """Conditions with each version by the name of its package."""
    return {**conditions, **conditions["versions"], "versions": None}
