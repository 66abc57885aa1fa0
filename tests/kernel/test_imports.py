"""The kernel side is light, and runs from wherever it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import flownb

PACKAGE = Path(flownb.__file__).parent


def _run(code: str, *arguments: str) -> str:
    """What the code prints in an interpreter of its own, where warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    # IPython warns where another virtual environment than the interpreter's is the active one.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_importing_flownb_does_not_bring_ipython() -> None:
    code = "import sys, flownb; flownb.pd; flownb.flow; print('IPython' in sys.modules)"
    assert _run(code).strip() == "False"


def test_nothing_but_core_cloudpickle_and_ipython_is_imported() -> None:
    code = """if True:
        import sys, importlib, pkgutil
        import IPython.core.interactiveshell
        before = set(sys.modules)
        import flownb.kernel
        for module in pkgutil.iter_modules(flownb.kernel.__path__):
            if module.name.startswith("fork"):
                continue  # what runs in a fork server alone brings ipykernel
            importlib.import_module(f"flownb.kernel.{module.name}")
        new = {name for name in set(sys.modules) - before}
        print(sorted({name.split(".")[0] for name in new} - set(sys.stdlib_module_names)))
        print(sorted({name.split(".")[1] for name in new if name.startswith("flownb.")}))
        """
    assert _run(code).splitlines() == [
        "['blake3', 'cloudpickle', 'flownb', 'zstandard']",
        "['core', 'faults', 'kernel']",
    ]


def test_it_works_from_a_zip_archive(tmp_path: Path) -> None:
    archive = tmp_path / "flownb.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for source in [*PACKAGE.glob("*.py"), *PACKAGE.glob("core/*.py"), *PACKAGE.glob("kernel/*.py")]:
            file.write(source, str(Path("flownb") / source.relative_to(PACKAGE)))
    code = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        import flownb.kernel.boot, flownb.kernel.snapshot, flownb.kernel.step
        print(flownb.__file__, flownb.pd.context.test)
        """
    assert _run(code, str(archive)).split() == [str(archive / "flownb" / "__init__.py"), "True"]


def test_ipython_without_a_kernel(tmp_path: Path) -> None:
    code = """if True:
        import os, sys
        os.environ["IPYTHONDIR"] = sys.argv[1]
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        import flownb
        flownb.load_ipython_extension(shell)
        assert shell.run_cell("def handler(pd): return pd.context.test").result is True
        assert shell.run_cell("flow = __import__('flownb').flow; flow.suspend()").error_in_exec
        """
    _run(code, str(tmp_path))
