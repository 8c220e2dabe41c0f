"""Scripts beside an engine, in processes forked from one that has loaded it, which takes most of the time of each.

``python run_forked.py MODULE ...`` loads modules, and then runs what each line of its input says: the ``code``, a
script and its arguments, the ``folder`` that it runs in and that comes first on its path, the ``environment`` that it
has, and the files that are its ``streams``. The answer to a line is the exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import traceback
from typing import Any


def run(code: list[str], folder: str, environment: dict[str, str], streams: list[str]) -> int:
    """The exit code of a script in a process of its own."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_WRONLY if number else os.O_RDONLY), number)
    status: Any = 1
    try:
        # What the parent has read ahead of its own input stays there.
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - open until the child ends
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.path.insert(0, folder)
        sys.argv = code
        runpy.run_path(code[0], run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:  # noqa: BLE001 - a child says why and ends, whatever it is
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    for line in sys.stdin:
        print(run(**json.loads(line)), flush=True)
