"""Which kernels can be forked: those that are started as ipykernel is, from an interpreter without peculiarities."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KERNELS = {"ipykernel", "ipykernel_launcher"}
KNOWN = {"env", "cwd", "stdout", "stderr", "kernel_id"}
SAFE_OPTION = re.compile("-[IEsSPBObuq]+|-[XW].+")
"""Options of the interpreter that mean the same for a fork server as for its kernels."""

BEFORE_A_FORK = re.compile(
    "PYTHON|LD_|GLIBC_TUNABLES|MALLOC_|LANG$|LC_|HOME$|XDG_|PYDEVD_|DEBUGPY_"  # the interpreter, what kernels import
    "|MPL|MATPLOTLIB|OMP_|OPENBLAS_|GOTO_|BLIS_|MKL_|NUMEXPR_|VECLIB_|NPY_|NUMPY_|FLOWNB_FAULT"  # what is preloaded
)
"""Environment variables that are read before kernels are forked: what they say is for all kernels of a fork server."""


@dataclass(frozen=True)
class Launch:
    """One kernel, as ``jupyter_client`` would start it."""

    command: tuple[str, ...]
    """The interpreter and its options."""
    module: str
    arguments: tuple[str, ...]
    """Those of ipykernel."""
    environment: Mapping[str, str]
    cwd: str
    stdout: int
    stderr: int

    def before_a_fork(self) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if BEFORE_A_FORK.match(name)}


def forkable(command: Sequence[str], options: Mapping[str, Any]) -> Launch | None:
    """A kernel by its command and what ``jupyter_client`` would give ``Popen``; None where it cannot be forked."""
    if not all(hasattr(os, name) for name in ("fork", "pidfd_open", "memfd_create")):
        return None
    if any(value is not None and value is not False for name, value in options.items() if name not in KNOWN):
        return None
    environment = {**(options.get("env") or os.environ), "JPY_PARENT_PID": str(os.getpid())}
    cwd = Path(options.get("cwd") or "").absolute()
    outputs = [_descriptor(options.get(name), standard) for name, standard in (("stdout", 1), ("stderr", 2))]
    parts = [str(Path(part).expanduser()) if part.startswith("~") else part for part in command]
    split = _split(parts, environment.get("PATH"))
    if split is None or min(outputs) < 0 or not cwd.is_dir() or not _absolute(environment.get("PYTHONPATH", "")):
        return None
    return Launch(*split, environment, str(cwd), *outputs)


def _split(command: Sequence[str], path: str | None) -> tuple[tuple[str, ...], str, tuple[str, ...]] | None:
    """The interpreter with its options, the module that it is to run, and what that is given."""
    if "-m" not in command:
        return None
    place = command.index("-m")
    (python, *options), module, arguments = command[:place], [*command[place + 1 :], ""][0], command[place + 2 :]
    interpreter = shutil.which(python, path=path)
    if interpreter is None or not all(SAFE_OPTION.fullmatch(option) for option in options):
        return None
    if module not in KERNELS or "-f" not in arguments:
        return None
    return (interpreter, *options), module, tuple(arguments)


def _absolute(path: str) -> bool:
    """Whether a search path means the same from wherever one looks."""
    return not path or all(Path(entry).is_absolute() for entry in path.split(os.pathsep))


def _descriptor(output: Any, standard: int) -> int:
    """Of a file, or of the standard one; -1 for what only ``Popen`` knows, such as a pipe that it is to make."""
    if output is None:
        return standard
    number: int = output if isinstance(output, int) else output.fileno()
    return number if number >= 0 else -1
