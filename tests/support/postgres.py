"""A Postgres of our own: one cluster for all tests of a process, on a socket in a folder, and a database for each."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

_NUMBERS = count(1)
_USER = "postgres"


def _program(name: str) -> str | None:
    """Where Debian has them, or on the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))


@cache
def cluster() -> Path:
    """The folder of the socket. A cluster does not run as root: it is nobody's then."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("there is no Postgres on this machine")
    folder = Path(tempfile.mkdtemp(prefix="flownb-pg-"))
    user = "nobody" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    run: Any = {"check": True, "user": user, "stdout": subprocess.DEVNULL, "cwd": folder}
    data = folder / "data"
    made: list[Any] = [
        initdb,
        "-D",
        data,
        "-U",
        _USER,
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    subprocess.run(made, **run)
    options = f"-c listen_addresses= -k {folder} -c fsync=off -c max_connections=200 -c shared_buffers=32MB"
    subprocess.run([pg_ctl, "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], **run)

    def stop() -> None:
        subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "stop"], **run)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return folder


def url(database: str) -> str:
    """How the tests reach a database of the cluster."""
    return f"postgresql:///{database}?host={cluster()}&user={_USER}"


@cache
def database_of(folder: Path) -> str:
    """The URL of the database of all servers on a folder."""
    return new_database()


def new_database() -> str:
    """The URL of a database that is empty."""
    name = f"d{next(_NUMBERS)}"
    with psycopg.connect(url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return url(name)
