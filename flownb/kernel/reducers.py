"""How single types are pickled where neither pickle nor cloudpickle does it as a namespace needs it."""

from __future__ import annotations

import functools
import io
import sys
import threading
from collections.abc import Callable
from operator import attrgetter
from types import CellType
from typing import Any

from flownb.kernel import remake

Reduced = str | tuple[Any, ...]
"""What a reducer returns; see ``object.__reduce__``."""

_BOUND_TO_THE_PROCESS = {
    "asyncio": ["AbstractEventLoop"],
    "comm.base_comm": ["BaseComm"],
    "concurrent.futures": ["Executor", "Future"],
    "io": ["TextIOWrapper"],
    "ipykernel.kernelbase": ["Kernel"],
    "ipywidgets": ["Widget"],
    "multiprocessing.pool": ["Pool"],
    "multiprocessing.process": ["BaseProcess"],
    "subprocess": ["Popen"],
    "tempfile": ["_TemporaryFileWrapper"],
    "threading": ["Thread"],
    "zmq": ["Context", "Socket"],
}

_LRU_CACHED = type(functools.lru_cache(lambda: None))


def bound_to_the_process() -> tuple[type, ...]:
    """Types whose objects would pickle, and come back dead; of modules that are in use."""
    return tuple(
        getattr(sys.modules[module], name)
        for module, names in _BOUND_TO_THE_PROCESS.items()
        if module in sys.modules
        for name in names
    )


def standard_stream(obj: io.TextIOBase) -> str | None:
    """The name in ``sys`` where ``obj`` is one of the standard streams."""
    return next((name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is obj), None)


def _lru_cached(function: Any) -> Reduced:
    if _importable(function):
        return str(function.__qualname__)
    how = function.cache_parameters()
    return remake.make_cached, (function.__wrapped__, how["maxsize"], how["typed"])


def _importable(function: Any) -> bool:
    module = sys.modules.get(function.__module__)
    if module is None or module.__name__ == "__main__":
        return False
    try:
        return attrgetter(function.__qualname__)(module) is function
    except AttributeError:
        return False


REDUCERS: dict[type, Callable[[Any], Reduced]] = {
    CellType: lambda cell: (CellType, (), remake.cell_state(cell), None, None, remake.fill_cell),
    _LRU_CACHED: _lru_cached,
    type(threading.Lock()): lambda lock: (threading.Lock, ()),
    type(threading.RLock()): lambda lock: (threading.RLock, ()),
}
