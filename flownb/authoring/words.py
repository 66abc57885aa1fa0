"""The words of ``%flownb``, for its help and its completion."""

from __future__ import annotations

from flownb.core.settings_schema import SCHEMA

HELP = """\
%flownb simulate on [--data JSON]   walk through the workflow in this notebook: pauses have buttons below their cells
%flownb simulate off|reset|status   stop it, begin anew, say how far it is
%flownb tick [TIME]                 move the simulation's clock by 24h, 10m, 5s ..., or to the next due time
%flownb run [PATH] [--data JSON]    run the saved notebook in the server, and show it below
%flownb check [PATH]                what is wrong with the saved notebook as a workflow
%flownb deploy [--name NAME]        put the saved notebook to work under a name, in the server
%flownb settings [KEY [VALUE]]      its settings as saved, one of them, or how to set it
%flownb help                        this text"""

COMMANDS = ("simulate", "tick", "run", "check", "deploy", "settings", "help")
SIMULATE = ("on", "off", "reset", "status")


def words(line: str) -> list[str]:
    """What may come next in a line that is being written."""
    said = line.split()[1:]
    finished = said if line.endswith(" ") else said[:-1]
    if not finished:
        return list(COMMANDS)
    if finished == ["simulate"]:
        return list(SIMULATE)
    if finished == ["settings"]:
        return list(SCHEMA["properties"])
    if finished == ["deploy"]:
        return ["--name"]
    takes_data = finished[0] == "run" or finished[:2] == ["simulate", "on"]
    return ["--data"] if takes_data and "--data" not in finished else []
