"""``flownb check``: what is wrong with notebooks as workflows, without a server."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson
from flownb.cli.status import UNSUCCESSFUL
from flownb.core.errors import InvalidValue

if TYPE_CHECKING:
    from flownb.core.check import Finding

COLOURS = {"error": "red", "warning": "yellow"}


def check(
    notebooks: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK...", help="The .ipynb files.")],
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with notebooks as workflows, cell by cell; status 1 where there are errors."""
    from jupyter_client.kernelspec import KernelSpecManager  # both take a second, which other commands need not pay

    from flownb.core.check import findings

    kernelspecs = KernelSpecManager().find_kernel_specs()
    found = {str(path): findings(_text(path), kernelspecs) for path in notebooks}
    if as_json:
        answers = [{"notebook": path, "findings": [asdict(one) for one in some]} for path, some in found.items()]
        print_json({"notebooks": answers})
    else:
        _show(found)
    if any(finding.level == "error" for some in found.values() for finding in some):
        raise typer.Exit(UNSUCCESSFUL)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidValue(f"{path} is not a notebook: not UTF-8 text") from None


def _show(found: dict[str, list[Finding]]) -> None:
    screen = output()
    for path, some in found.items():
        screen.print(Text.assemble((path, "bold"), "" if some else ("  no findings", "green")), soft_wrap=True)
        for finding in some:
            place = f"cell {finding.cell}" + (f" ({finding.step})" if finding.step else "") if finding.cell else ""
            level = (f"  {finding.level:8} ", COLOURS[finding.level])
            screen.print(Text.assemble(level, f"{place}: " if place else "", finding.message), soft_wrap=True)
