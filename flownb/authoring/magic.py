"""The line magic ``%flownb``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from IPython.display import display

from flownb.authoring.checking import check
from flownb.authoring.deploying import chosen_name, deploy, settings
from flownb.authoring.files import Plain, chosen_file
from flownb.authoring.live import run
from flownb.authoring.session import Session
from flownb.authoring.story import status
from flownb.authoring.words import COMMANDS, HELP, SIMULATE
from flownb.core.durations import duration
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import to_json
from flownb.core.model import Json
from flownb.core.times import iso
from flownb.core.words import in_words

_session: Session | None = None


def magic(line: str, shell: Any) -> None:
    """Runs a line; raises ``Plain`` with what an author is to read."""
    command, _, rest = line.strip().partition(" ")
    known: dict[str, Callable[[str, Any], None]] = {
        "": _help,
        "help": _help,
        "simulate": _simulate,
        "tick": _tick,
        "run": _run,
        "deploy": lambda rest, shell: print(deploy(chosen_file("", shell), chosen_name(rest), shell)),  # noqa: T201
        "settings": lambda rest, shell: print(settings(chosen_file("", shell), rest)),  # noqa: T201
        "check": lambda rest, shell: display(check(chosen_file(rest, shell))),  # type: ignore[no-untyped-call]
    }
    if command not in known:
        raise Plain(f"%flownb has no {command!r}: there is {', '.join(COMMANDS)}")
    try:
        known[command](rest.strip(), shell)
    except Plain:
        raise
    except FlowNBError as error:
        raise Plain(str(error), error.reason) from None


def _help(rest: str, shell: Any) -> None:
    print(HELP)  # noqa: T201


def _simulate(rest: str, shell: Any) -> None:
    what, data, given = _with_data(rest)
    session = _of(shell)
    if what not in SIMULATE or (given and what != "on"):
        raise Plain(f"%flownb simulate {rest}: there is {', '.join(SIMULATE)}, and --data JSON for `on`")
    if what == "on":
        print(session.on(data) if given or session.simulation is None else "simulation is on already")  # noqa: T201
    elif what == "off":
        print(session.off())  # noqa: T201
    elif what == "reset":
        print(session.reset())  # noqa: T201
    else:
        on = session.simulation
        print("simulation is off" if on is None else status(on.execution, on.now))  # noqa: T201


def _tick(rest: str, shell: Any) -> None:
    simulation = _of(shell).present()
    said = simulation.tick(duration(rest, "tick") if rest else None)
    clock = f"the clock says {in_words(iso(simulation.now) or '')}"
    pause = simulation.pause
    if said is None:
        said = "nothing waits" if pause is None else f"step {pause.of.step!r} goes on waiting"
    print(f"{said}; {clock}")  # noqa: T201


def _run(rest: str, shell: Any) -> None:
    path, data, _ = _with_data(rest)
    run(chosen_file(path, shell), data)


def _with_data(rest: str) -> tuple[str, Json, bool]:
    """What stands before ``--data``, the data, and whether some are given; quotes around them are borne."""
    before, given, text = rest.partition("--data")
    text = text.strip().removeprefix("=").strip()
    if not given:
        return before.strip(), None, False
    try:
        return before.strip(), to_json(json.loads(text.removeprefix("'").removesuffix("'")), "data"), True
    except ValueError as error:
        raise Plain(f"--data: expected JSON, got {text!r} ({error})") from None


def _of(shell: Any) -> Session:
    global _session
    if _session is None:
        _session = Session(shell)
    return _session
