"""A kernel that was forked becomes what one is that was started on its own."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import process
from typing import Any

from flownb import faults
from flownb.kernel import forkedapp
from flownb.kernel.parent import end_with_parent
from flownb.kernel.preload import set_by_imports


def _file(module: str) -> str:
    spec = find_spec(module)
    return spec.origin or "" if spec else ""


MODULES = {"ipykernel": _file("ipykernel.__main__"), "ipykernel_launcher": _file("ipykernel_launcher")}
"""The files that Python runs for these."""


@dataclass(frozen=True)
class Birth:
    """What a kernel is given: the fork server's pid, and descriptors of what it is told, its stdout and stderr."""

    server: int
    told: int
    stdout: int
    stderr: int


def become(birth: Birth) -> None:
    """Run the kernel until it ends; its process then ends as any Python does.

    It is told in JSON the command that is to look as if it had been run: ``command`` with the interpreter and its
    options, ``module``, ``arguments``; and ``cwd`` and ``environment``.
    """
    os.setsid()
    end_with(birth.server)
    _redirect(birth)
    with os.fdopen(birth.told) as file:
        file.seek(0)
        told: dict[str, Any] = json.load(file)
    os.chdir(told["cwd"])
    _enter({**set_by_imports(), **told["environment"]})
    _forget_what_was_random()
    sys.argv = [MODULES[told["module"]], *told["arguments"]]
    sys.orig_argv = [*told["command"], "-m", told["module"], *told["arguments"]]
    faults.server = int(os.environ.get("JPY_PARENT_PID", 0))
    forkedapp.run(told["arguments"], birth.server)


def end_with(parent: int) -> None:
    """Have the system kill this process when its parent ends."""
    end_with_parent()
    if os.getppid() != parent:  # it has ended before
        os._exit(1)


def _redirect(birth: Birth) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((nothing, 0), (birth.stdout, 1), (birth.stderr, 2)):
        os.dup2(ours, standard)
        os.close(ours)


def _enter(environment: dict[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    time.tzset()


def _forget_what_was_random() -> None:
    """``random`` itself does so at each fork."""
    process.current_process().authkey = os.urandom(32)
    if "numpy.random" in sys.modules:
        importlib.import_module("numpy.random").seed()
