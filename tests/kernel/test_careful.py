"""Objects whose classes use, while they are remade, what is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .conftest import Kernel

STEP = """
import socket
class Device:
    def __init__(self): self.socket = socket.socket()
    def __reduce__(self): raise ValueError("a device cannot move")
class Reconnecting:
    def __init__(self, device): self.device, self.name = device, "r"
    def __setstate__(self, state):
        self.__dict__.update(state)
        self.device.socket.fileno()
class Constructed:
    def __init__(self, device): self.fileno = device.socket.fileno(); self.device = device
    def __reduce__(self): return Constructed, (self.device,)
device = Device()
reconnecting, constructed = Reconnecting(device), [Constructed(device), 1]
after = [device, {"x": 1}]
"""


def test_it_costs_those_objects_only(new_kernel: Callable[[], Kernel], tmp_path: Path) -> None:
    first, second = new_kernel(), new_kernel()
    for kernel in (first, second):
        kernel.prepare()
    assert first.step(STEP, step="work").reply["status"] == "ok"
    assert second.load(tmp_path / "1", first.save(tmp_path / "1")["digest"])["status"] == "ok"
    assert second.value("repr(device), after[0] is device, after[1]") == str(
        ("<lost: device, __main__.Device>", True, {"x": 1})
    )
    assert second.value("reconnecting.name, reconnecting.device is device") == "('r', True)"
    assert second.value("repr(constructed)") == repr("[<lost: part of device, __main__.Device>, 1]")
    error = second.execute("constructed[0].fileno").reply
    assert error["ename"] == "NotRestorable"
    assert "variable 'device'" in error["evalue"]
