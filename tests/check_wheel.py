"""Check of a wheel: it holds the package and nothing else, and does the main job where only it is installed.

``python -m tests.check_wheel dist/eplb_opt-0.3.0-py3-none-any.whl`` installs it into an environment of its own, which
sees what this one has installed but not this checkout, and runs the demonstration and a report there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]


def require_files(wheel: Path) -> None:
    """Every file of the package, with its documentation and the mark that it is typed, and nothing else."""
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        version = [line for line in archive.read(metadata).decode().splitlines() if line.startswith("Version: ")]
    files = (path for path in (ROOT / "eplb_opt").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    there = {path.relative_to(ROOT).as_posix() for path in files}
    if packed != there:
        sys.exit(f"{wheel}: missing {sorted(there - packed)}, too many {sorted(packed - there)}")
    if "eplb_opt/py.typed" not in packed or f"-{version[0].removeprefix('Version: ')}-" not in wheel.name:
        sys.exit(f"{wheel}: not typed, or {version}")


def installed(wheel: Path, folder: Path) -> Path:
    """The programs of a new environment with the wheel, and with what the wheel depends on."""
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    install = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--no-index", "--disable-pip-version-check", wheel.resolve()], check=True)
    # A line of a .pth file is a folder to import from, whose own .pth files, as that of an editable install, are not
    # looked at.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(command: list[str | Path], folder: Path) -> str:
    """What a command prints, started where no checkout is near; ends this program with its output if it fails."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Check the wheel that is named, and say so."""
    wheel = Path(sys.argv[1])
    require_files(wheel)
    with tempfile.TemporaryDirectory(prefix="eplb_opt_wheel_") as name:
        folder = Path(name).resolve()
        programs = installed(wheel, folder / "environment")
        where = Path(run([programs / "python", "-c", "import eplb_opt; print(eplb_opt.__file__)"], folder).strip())
        if not where.is_relative_to(folder):
            sys.exit(f"{where} was imported, not the wheel")
        run([programs / "eplb-opt", "demo", "--time-limit", "5"], folder)
        loads, plan = folder / "demo" / "loads.json", folder / "demo" / "plan.json"
        if json.loads(plan.read_text())["format"] != "eplb_opt.plan":
            sys.exit(f"{plan} is no plan")
        run([programs / "eplb-opt", "report", plan, loads, "-o", "report.html", "--time-limit", "2"], folder)
        if "</html>" not in (folder / "report.html").read_text():
            sys.exit("the report is no page")
    print(f"{wheel.name} installs, plans and reports")


if __name__ == "__main__":
    main()
