"""flownb's kernel side where it is not installed: pure Python in a zip on the kernel's path."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import zipfile
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from flownb import __version__
from flownb.bridge.port import AskFailed, KernelStartFailed
from flownb.core.model import Json

NEEDED = ("flownb/*.py", "flownb/core/*.py", "flownb/kernel/*.py", "cloudpickle/*.py")

NOT_INSTALLED = ("ModuleNotFoundError", "ImportError", "SyntaxError", "NoAnswer")
"""What fails where the kernel's environment lacks something or is too old; the rest has other causes."""


HAS_OURS = "__import__('flownb').__version__ == {version!r}"

UNPACK = """
import atexit, base64, os, shutil, sys, tempfile
folder = tempfile.mkdtemp(prefix="flownb-")
atexit.register(shutil.rmtree, folder, True)
with open(os.path.join(folder, "flownb.zip"), "wb") as archive:
    archive.write(base64.b64decode(packed))
for name in [name for name in sys.modules if name.partition(".")[0] == "flownb"]:
    del sys.modules[name]
sys.path.insert(0, archive.name)
"""


class KernelSide:
    """Puts the kernel side to work in kernels of any environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._zip: Path | None = None

    async def boot_elsewhere(
        self, evaluate: Callable[[str], Awaitable[Json]], kernelspec: str, expression: str
    ) -> Json:
        """The same in a kernel that may not see our files, or has another version: it is sent ours, which goes first.

        Raises ``KernelStartFailed``.
        """

        async def attempt(expression: str) -> Json:
            try:
                return await evaluate(f"{HAS_OURS.format(version=__version__)} and {expression}")
            except AskFailed as error:
                if error.ename not in NOT_INSTALLED:
                    raise
            packed = base64.b64encode((await asyncio.to_thread(self.zip)).read_bytes()).decode()
            return await evaluate(f"exec({UNPACK!r}, {{'packed': {packed!r}}}) or {expression}")

        return await self.boot(attempt, kernelspec, expression)

    async def boot(self, evaluate: Callable[[str], Awaitable[Json]], kernelspec: str, expression: str) -> Json:
        """Evaluate the expression that boots the kernel side; raises ``KernelStartFailed`` with what to do."""
        remedy = f'run "python -m pip install flownb=={__version__}" with the Python of kernelspec {kernelspec!r}'
        try:
            answer = await self._boot(evaluate, expression)
        except AskFailed as error:
            advice = f": {remedy}" if error.ename in NOT_INSTALLED else ""
            raise KernelStartFailed(f"flownb does not start in the kernel ({error.ename}: {error}){advice}") from None
        if answer["version"] != __version__:
            why = f"the kernel has flownb {answer['version']}, the server {__version__}"
            raise KernelStartFailed(f"{why}: {remedy}")
        return answer

    async def _boot(self, evaluate: Callable[[str], Awaitable[Json]], expression: str) -> Json:
        try:
            return await evaluate(expression)
        except AskFailed as error:
            if error.ename != "ModuleNotFoundError":
                raise
        return await evaluate(f"__import__('sys').path.append({str(self.zip())!r}) or {expression}")

    def zip(self) -> Path:
        """The archive, made where this version's is missing."""
        if self._zip is None or not self._zip.exists():
            content = _archive()
            name = f"flownb-{__version__}-{hashlib.blake2b(content, digest_size=6).hexdigest()}.zip"
            target = self._folder / name
            # A name of its own: several threads, kernels and servers may make the archive at the same time.
            with TemporaryDirectory(dir=self._folder, prefix=".") as aside:
                Path(aside, name).write_bytes(content)
                Path(aside, name).replace(target)
            self._zip = target
        return self._zip


def _archive() -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for pattern in NEEDED:
            root = _site(pattern.split("/")[0])
            for file in sorted(root.glob(pattern)):
                archive.writestr(zipfile.ZipInfo(str(file.relative_to(root))), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _site(package: str) -> Path:
    """The folder that holds an installed package."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent
