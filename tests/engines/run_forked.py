"""Scripts that ask SGLang, in processes forked from one that has loaded it, which takes most of the time of each.

In: a list of objects with the ``script``, the ``folder`` with its ``asked.json``, where it leaves its ``tables.npz``,
and its environment ``variables``. The exit code is that of the first script that fails.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

import run_sglang  # noqa: F401 - its stand-ins are needed here too


def run(script: str, folder: str, variables: dict[str, str]) -> int:
    """The exit code of a script in a process of its own."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.environ.update(variables)
        os.chdir(folder)
        importlib.import_module(script).main(Path("asked.json"), Path("tables.npz"))
    except BaseException:  # noqa: BLE001 - a child says why and ends, whatever it is
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    # Those below load these later, each for itself.
    for module in ("sglang.srt.server_args", "sglang.srt.eplb.expert_location", "functorch.compile", "networkx"):
        importlib.import_module(module)

    for line in json.load(sys.stdin):
        if code := run(**line):
            sys.exit(code)
