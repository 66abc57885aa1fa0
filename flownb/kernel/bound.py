"""What lives in one process only, although much of it would pickle, and come back dead."""

from __future__ import annotations

import io
import sys

_TYPES = {
    "asyncio": ["AbstractEventLoop"],
    "comm.base_comm": ["BaseComm"],
    "concurrent.futures": ["Executor", "Future"],
    "ctypes": ["CDLL"],
    "httpx": ["AsyncClient", "Client"],
    "io": ["IOBase"],
    "ipykernel.kernelbase": ["Kernel"],
    "ipywidgets": ["Widget"],
    "multiprocessing.connection": ["Listener", "_ConnectionBase"],
    "multiprocessing.managers": ["BaseManager", "BaseProxy"],
    "multiprocessing.pool": ["Pool"],
    "multiprocessing.process": ["BaseProcess"],
    "multiprocessing.shared_memory": ["SharedMemory"],
    "multiprocessing.synchronize": ["Event"],
    "selectors": ["BaseSelector"],
    "socketserver": ["BaseServer"],
    "subprocess": ["Popen"],
    "tarfile": ["TarFile"],
    "tempfile": ["TemporaryDirectory", "_TemporaryFileWrapper"],
    "threading": ["Thread"],
    "weakref": ["finalize"],
    "zipfile": ["ZipFile"],
    "zmq": ["Context", "Socket"],
}

_IN_MEMORY = (io.BytesIO, io.StringIO)


def bound_to_the_process() -> tuple[type, ...]:
    """These types, of modules that are in use."""
    return tuple(
        getattr(sys.modules[module], name)
        for module, names in _TYPES.items()
        if module in sys.modules
        for name in names
        if hasattr(sys.modules[module], name)
    )


def is_bound(kind: type, bound: tuple[type, ...]) -> bool:
    """Whether objects of ``kind`` live in one process, by ``bound_to_the_process``."""
    return issubclass(kind, bound) and not issubclass(kind, _IN_MEMORY)
