"""The kernel side reaches kernels of any environment, and says what to do where it cannot work."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import flownb
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.port import KernelStartFailed, Spec
from flownb.core.jsonvalue import dumps
from flownb.core.reply import MIMETYPE
from tests.bridge.at_work import kernels, kernelspec, raised, returned, run
from tests.support.asyncio import in_loop

ISOLATED = """
import importlib, json, sys
archive, *site = sys.argv[1:]
sys.path[:] = [archive, *(entry for entry in sys.path if "-packages" not in entry), *site]
import flownb, cloudpickle, flownb.kernel, pkgutil
for module in pkgutil.iter_modules(flownb.kernel.__path__, "flownb.kernel."):
    importlib.import_module(module.name)
ours = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] in ("flownb", "cloudpickle")]
print(json.dumps([flownb.__version__, [file for file in ours if not file.startswith(archive)]]))
"""


def test_the_archive_holds_what_a_kernel_needs_and_no_more(tmp_path: Path) -> None:
    archive = KernelSide(tmp_path).zip()
    names = zipfile.ZipFile(archive).namelist()
    assert {name.rsplit("/", 1)[0] for name in names} == {"flownb", "flownb/core", "flownb/kernel", "cloudpickle"}
    top = [name for name in names if name.startswith("flownb/") and name.count("/") == 1]
    assert top == ["flownb/__init__.py", "flownb/faults.py"]
    assert {name.rsplit(".", 1)[1] for name in names} == {"py"}
    assert flownb.__version__ in archive.name


def test_the_archive_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    side = KernelSide(tmp_path / "a")
    first = side.zip()
    other = KernelSide(tmp_path / "b").zip()
    assert (first.name, first.read_bytes()) == (other.name, other.read_bytes())
    first.unlink()
    assert side.zip().read_bytes() == other.read_bytes()


def test_many_may_make_it_at_once(tmp_path: Path) -> None:
    sides = [KernelSide(tmp_path) for _ in range(3)] * 8
    with ThreadPoolExecutor(len(sides)) as threads:
        made = set(threads.map(KernelSide.zip, sides))
    assert list(tmp_path.iterdir()) == [*made]


def test_it_imports_from_the_archive_alone(tmp_path: Path) -> None:
    site = sysconfig.get_paths()["purelib"]  # without its .pth files, so that only IPython is found there
    command = [sys.executable, "-I", "-S", "-c", ISOLATED, str(KernelSide(tmp_path).zip()), site]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [flownb.__version__, []]


@in_loop
async def test_a_kernel_with_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    install_other_version(tmp_path / "site")
    python = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    kernelspec(tmp_path / "specs", "older", *python, PYTHONPATH=str(tmp_path / "site"))
    async with kernels(tmp_path, tmp_path / "specs") as made:
        said = await raised(made.start(Spec("older", tmp_path)), KernelStartFailed)
    assert f"the kernel has flownb 0.0.1, the server {flownb.__version__}" in said
    assert f"\"python -m pip install flownb=={flownb.__version__}\" with the Python of kernelspec 'older'" in said


def install_other_version(site: Path) -> None:
    kernel = site / "flownb" / "kernel"
    kernel.mkdir(parents=True)
    (site / "flownb" / "__init__.py").write_text("__version__ = '0.0.1'")
    (kernel / "__init__.py").touch()
    (kernel / "boot.py").write_text(f"""
class Reply:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {{{MIMETYPE!r}: '{{"version": "0.0.1"}}', "text/plain": ""}}

def prepare(text):
    return Reply()
""")


@in_loop
async def test_a_package_of_the_same_name_that_is_not_ours_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "flownb.py").write_text("'something else'")
    python = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    kernelspec(tmp_path / "specs", "other", *python, PYTHONPATH=str(tmp_path / "site"))
    async with kernels(tmp_path, tmp_path / "specs") as made:
        said = await raised(made.start(Spec("other", tmp_path)), KernelStartFailed)
    assert "flownb does not start in the kernel (ModuleNotFoundError" in said
    assert "python -m pip install" in said


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has ipykernel, an old one, and nothing of ours."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "ipykernel==6.29.5"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"ipykernel cannot be installed in another environment here: {done.stderr[-300:]}")
    return python


@pytest.mark.timeout(300)
@in_loop
async def test_another_environment_without_flownb_runs_steps(
    tmp_path: Path, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # kernels begin where their server does, and find what is importable there
    monkeypatch.delenv("PYTHONPATH", raising=False)  # which may lead to a flownb that is imported as it is
    kernelspec(tmp_path / "specs", "old", str(environment), "-m", "ipykernel_launcher", "-f", "{connection_file}")
    async with kernels(tmp_path, tmp_path / "specs") as made:
        spec = Spec("old", tmp_path)
        kernel = await made.start(spec)
        assert await returned(kernel, "import ipykernel; ipykernel.__version__") == "6.29.5"
        source = """
shared = ['kept']
alias = shared
def grow(): shared.append(len(shared))
async def handler(pd):
    grow()
    pd.flow.suspend(1000)
    return {'grown': shared}
"""
        ran = await run(kernel, source)
        assert ran.error is None, ran.error
        assert ran.collected["exports"] == {"$return_value": {"grown": ["kept", 1]}}
        assert [pause["kind"] for pause in ran.collected["pauses"]] == ["suspend"]
        place = dumps({"folder": str(tmp_path), "pool": str(tmp_path / "pool")}), "0.snapshot"
        saved = await kernel.ask("snapshot", "save", *place)
        await kernel.shutdown()
        another = await made.start(spec)
        await another.ask("snapshot", "load", *place, saved["digest"])
        assert await returned(another, "grow(); [alias is shared, shared]") == [True, ["kept", 1, 2]]
