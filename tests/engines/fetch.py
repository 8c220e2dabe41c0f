"""Fetch the engines' sources for the tests beside this file, pinned, into a folder: ``python fetch.py FOLDER``.

Nothing of them enters the repository. What cannot be had is told in a line, and its tests are skipped; then the
exit code is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
# Sources say what they are only when they are asked by their build system, which needs these and no compiler.
BUILD = ["setuptools==81.0.0", "setuptools-scm==10.3.4", "setuptools-rust==1.13.0", "wheel==0.48.0", "jinja2==3.1.6"]
ASKING = {"VLLM_TARGET_DEVICE": "empty", "VLLM_VERSION_OVERRIDE": "0.33.0", "SOC_VERSION": "ascend910b1"}
PATIENCE = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "60"]


def pip(*arguments: str, **environment: str) -> None:
    """Run pip of this interpreter; a `RuntimeError` with its last line if it fails."""
    command = [sys.executable, "-m", "pip", *arguments, *PATIENCE]
    variables = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", **environment}
    run = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR")] or [run.stderr.strip()[-300:]]
        raise RuntimeError(errors[-1])


def requirements() -> dict[str, str]:
    """Line of each source by its name."""
    lines = [line for line in (HERE / "sources.txt").read_text().splitlines() if not line.startswith("#")]
    return {line.partition("==")[0]: line for line in lines}


def unpack(archive: Path, package: str, folder: Path) -> None:
    """Unpack the Python package of a wheel or a source archive into `folder`."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(f"{package}/")])
        return
    with tarfile.open(archive) as source:
        members = []
        for member in source.getmembers():
            member.name = member.name.partition("/")[2]
            if member.name.startswith(f"{package}/"):
                members.append(member)
        source.extractall(folder, members, filter="data")


def fetch_source(name: str, line: str, folder: Path) -> None:
    """Have the package of an engine in `folder`, unless it is there."""
    package = name.replace("-", "_")
    done = folder / f"{package}.pinned"
    if done.exists() and done.read_text() == line:
        return
    pinned = folder / "requirement.txt"
    pinned.write_text(line)
    where = folder / "archives"
    options = ["--no-deps", "--no-build-isolation", "--require-hashes", "--requirement", str(pinned)]
    pip("download", *options, "--dest", str(where), PYTHONPATH=str(folder / "build"), **ASKING)
    # What is there may be of another version.
    shutil.rmtree(folder / name, ignore_errors=True)
    archive = max(where.glob(f"{package}-*"), key=lambda path: path.stat().st_mtime)
    unpack(archive, package, folder / name)
    archive.unlink()
    done.write_text(line)


def fetch_packages(name: str, arguments: list[str], folder: Path) -> None:
    """Have packages in a folder of their own, unless they are there."""
    wanted = "\n".join(arguments) + (HERE / "packages.txt").read_text()
    done = folder / f"{name}.pinned"
    if not (done.exists() and done.read_text() == wanted):
        pip("install", "--target", str(folder / name), "--upgrade", *arguments)
        done.write_text(wanted)


def main(folder: Path) -> int:
    """Fetch everything; 1 if something is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        fetch_packages("build", BUILD, folder)
        fetch_packages("packages", ["--no-deps", "--requirement", str(HERE / "packages.txt")], folder)
    except RuntimeError as error:
        print(f"no engine can be had, their tests are skipped: {error}")
        return 1
    missing = 0
    for name, line in requirements().items():
        try:
            fetch_source(name, line, folder)
        except (RuntimeError, OSError) as error:
            print(f"{name} cannot be had, its tests are skipped: {error}")
            missing = 1
    return missing


if __name__ == "__main__":
    # Builds run elsewhere and look for what they need from there.
    sys.exit(main(Path(sys.argv[1]).resolve()))
