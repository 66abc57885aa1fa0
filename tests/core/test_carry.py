"""What a check says of things that cannot be carried over a pause."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flownb.core.check import Finding, findings
from tests.support.notebooks import cell, notebook

CONNECT = "import sqlite3\n\nconn = sqlite3.connect('a')"
USE = "conn.execute('select 1')"
ASK = cell("pd.flow.suspend()", "ask")


def check(*cells: str | dict[str, Any], **metadata: Any) -> list[Finding]:
    return findings(json.dumps(notebook(*cells, **metadata)))


def test_a_warning_says_what_is_lost_where_and_what_to_do() -> None:
    (finding,) = check("1", cell(CONNECT, "load"), ASK, cell("1", "between"), cell(f"x = 1\n{USE}", "report"), USE)
    assert finding == Finding(
        2,
        "load",
        "warning",
        "line 3: `conn` (sqlite3.connect) is not carried over the pause in step 'ask' and is used in step 'report': "
        "make it in a cell tagged `setup`, or anew where it is used",
    )


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("x = open('a')", "open"),
        ("x: object = open('a')", "open"),
        ("(x := open('a'))", "open"),
        ("y, x = 1, open('a')", "open"),
        ("x = y = open('a')", "open"),
        ("x = None or open('a')", "open"),
        ("x = open('a') if True else None", "open"),
        ("if True:\n    x = open('a')", "open"),
        ("if True:\n    x = open('a')\nelse:\n    x = open('b')", "open"),
        ("try:\n    x = open('a')\nexcept OSError:\n    x = None", "open"),
        ("for i in ():\n    x = open('a')", "open"),
        ("with y:\n    x = open('a')", "open"),
        ("match 1:\n    case 1:\n        x = open('a')", "open"),
        ("from pathlib import Path\np = Path('a')\nx = p.open()", "pathlib.Path.open"),
        ("import gzip as g\nx = g.open('a')", "gzip.open"),
        ("import tempfile\nx = tempfile.NamedTemporaryFile()", "tempfile.NamedTemporaryFile"),
        ("import zipfile\nx = zipfile.ZipFile('a')", "zipfile.ZipFile"),
        ("import sqlite3 as s\nx = s.connect('a')", "sqlite3.connect"),
        ("from psycopg import connect as c\nx = c('a')", "psycopg.connect"),
        ("import psycopg\nmake = psycopg.connect\nx = make()", "psycopg.connect"),
        ("import sqlite3\nx = sqlite3.connect('a').cursor()", "sqlite3.connect.cursor"),
        ("import sqlite3\ny = sqlite3.connect('a')\nx = y.execute('')", "sqlite3.connect.execute"),
        ("import psycopg\nx = await psycopg.AsyncConnection.connect()", "await psycopg.AsyncConnection.connect"),
        ("import snowflake.connector\nx = snowflake.connector.connect()", "snowflake.connector.connect"),
        (
            "import sqlalchemy as sa\nengine = sa.create_engine('')\nx = engine.connect()",
            "sqlalchemy.create_engine.connect",
        ),
        (
            "from pyspark.sql import SparkSession\nx = SparkSession.builder.appName('a').getOrCreate()",
            "pyspark.sql.SparkSession.builder.appName.getOrCreate",
        ),
        ("import socket\nx = socket.socket()", "socket.socket"),
        ("import socket\nx, y = socket.socketpair()", "socket.socketpair"),
        ("import multiprocessing as mp\ny, x = mp.Pipe()", "multiprocessing.Pipe"),
        ("import multiprocessing.pool\nx = multiprocessing.pool.ThreadPool(1)", "multiprocessing.pool.ThreadPool"),
        ("import multiprocessing\nx = multiprocessing.get_context('spawn').Pool()", "multiprocessing.get_context.Pool"),
        ("import httpx\nx = httpx.Client()", "httpx.Client"),
        ("import threading\nx = threading.Thread(target=print)", "threading.Thread"),
        (
            "from concurrent.futures import ThreadPoolExecutor as T\nx = T()",
            "concurrent.futures.ThreadPoolExecutor",
        ),
        (
            "import concurrent.futures\npool = concurrent.futures.ThreadPoolExecutor()\nx = pool.submit(int)",
            "concurrent.futures.ThreadPoolExecutor.submit",
        ),
        ("import subprocess\nx = subprocess.Popen(['a'])", "subprocess.Popen"),
        ("import asyncio\nx = asyncio.create_task(f())", "asyncio.create_task"),
        ("import asyncio\nx = asyncio.get_event_loop().create_task(f())", "asyncio.get_event_loop.create_task"),
        ("import asyncio\nx, y = await asyncio.open_connection()", "await asyncio.open_connection"),
        ("import mmap\nx = mmap.mmap(-1, 1)", "mmap.mmap"),
        ("import ipywidgets as w\nx = w.IntSlider()", "ipywidgets.IntSlider"),
        ("x = (i for i in ())", "a generator expression"),
        ("def f():\n    yield 1\nx = f()", "the generator f()"),
        ("async def f(): pass\nx = f()", "the coroutine f()"),
    ],
)
def test_what_cannot_be_carried(source: str, what: str) -> None:
    (finding,) = check(source, ASK, "x")
    assert f"`x` ({what})" in finding.message
    assert check(source, "x", ASK) == []


@pytest.mark.parametrize(
    "source",
    [
        "import requests\nx = requests.Session()",
        "import sqlalchemy\nx = sqlalchemy.create_engine('')",
        "import sqlite3\nx = sqlite3.connect('a').execute('').fetchall()",
        "import sqlite3\n(x,) = sqlite3.connect('a').execute('')",
        "import multiprocessing\nx = multiprocessing.Pool().map(f, [])",
        "import subprocess\nx = subprocess.run(['a'])",
        "import threading\nx = threading.Lock()",
        "import queue\nx = queue.Queue()",
        "import io\nx = io.StringIO()",
        "import tempfile\nx = tempfile.mkdtemp()",
        "import asyncio\nx = await asyncio.create_task(f())",
        "async def f(): pass\nx = await f()",
        "from contextlib import contextmanager\n@contextmanager\ndef f():\n    yield 1\nx = f()",
        "def f():\n    def g():\n        yield 1\n    return list(g())\nx = f()",
        "x = [i for i in open('a')]",
        "x = open('a').read()",
        "x, y = (i for i in (1, 2))",
        "with open('a') as x: pass",
        "def f():\n    x = open('a')",
        "def open(a): pass\nx = open('a')",
        "open = 1\nx = open('a')",
        "from .own import sqlite3\nx = sqlite3.connect('a')",
        "x = unknown.connect('a')",
        "x = open('a')\ndel x",
        "x = open('a')\nx = None",
        "x = open('a')\nif True:\n    x = 1\nelse:\n    x = 2",
        "x = open('a')\nx += 1",
        "x = open('a')\nimport x",
        "x = open('a')\ndef x(): pass",
        "x = open('a')\nfor x in (): pass\nelse:\n    x = 1",
    ],
)
def test_what_can_be_or_is_not_there_any_more(source: str) -> None:
    assert check(source, ASK, "x") == []


def test_a_second_name_is_the_same_thing() -> None:
    (finding,) = check("x = open('a')\ny = x", ASK, "x; y", "y")
    assert "`x` (open)" in finding.message


@pytest.mark.parametrize(
    "use",
    [
        "print(conn)",
        "conn.close()",
        "x = 1\nif x:\n    with conn: pass",
        "def f(): return conn.cursor()\nf()",
        "def f(): return g()\ndef g(): return f() or conn\nf()",
        "class A:\n    def f(self): return conn\nA()",
        "(lambda: conn)()",
        "f = lambda: conn\nf()",
        "[conn for i in ()]",
        "def handler(pd): conn.close()",
        "async def handler(pd): conn.close()",
        "if True:\n    conn = 1\nconn",
        "def f():\n    global conn\n    conn.close()\n    conn = 1\nf()",
    ],
)
def test_a_use_is_found(use: str) -> None:
    (finding,) = check(CONNECT, ASK, cell(use, "use"))
    assert "is used in step 'use'" in finding.message


@pytest.mark.parametrize(
    "use",
    [
        "conn = 1\nconn",
        "conn = open('a')\nconn",
        "import sqlite3\nconn = sqlite3.connect('a')\nconn",
        "def f(): return conn",
        "def f(conn): return conn\nf(1)",
        "def f():\n    conn = 1\n    return conn\nf()",
        "def f():\n    global conn\n    conn = 1\nf()\nconn",
        "[conn for conn in ()]",
        "lambda conn: conn",
        "for conn in (): conn",
        "del conn",
    ],
)
def test_what_is_no_use_of_it(use: str) -> None:
    assert check(CONNECT, ASK, use) == []


@pytest.mark.parametrize(
    ("pause", "lost"),
    [
        ("pd.flow.suspend()", True),
        ("from flownb import flow as f\nf.delay(1)", True),
        ("import flownb\nflownb.pd.flow.rerun(1)", True),
        ("def handler(ctx): ctx.flow.suspend()", True),
        ("async def handler(pd):\n    from flownb import flow\n    flow.retry(1)", True),
        ("def ask(): pd.flow.suspend()\nask()", True),
        ("def ask(): pd.flow.suspend()", False),
        ("if pd.context.run.runs == 1: pd.flow.delay(1)", True),
        ("pd.flow.exit()", False),
        ("workflow.delay(1)", False),
        ("pd.export('a', 1)", False),
    ],
)
def test_what_pauses(pause: str, lost: bool) -> None:
    assert bool(check(CONNECT, pause, USE)) is lost


def test_a_pause_in_a_function_of_a_setup_cell_is_one_where_it_is_called() -> None:
    setup = cell("def ask(): pd.flow.suspend()", None, "setup")
    assert check(setup, CONNECT, USE) == []
    (finding,) = check(setup, CONNECT, cell("ask()", "call"), USE)
    assert "over the pause in step 'call'" in finding.message


@pytest.mark.parametrize(
    ("source", "lost"),
    [
        ("if pd.context.run.runs == 1:\n    conn = open('a')\nconn.read()\npd.flow.rerun(1)", True),
        ("try:\n    conn\nexcept NameError:\n    conn = open('a')\npd.flow.rerun(1)", True),
        ("conn = open('a')\nconn.read()\npd.flow.rerun(1)", False),
        ("if pd.context.run.runs == 1:\n    conn = open('a')\nconn.read()\npd.flow.suspend()", False),
    ],
)
def test_a_step_that_runs_again(source: str, lost: bool) -> None:
    found = check(cell(source, "poll"))
    assert [finding.step for finding in found] == ["poll"] * lost
    assert all("over the pause in step 'poll' and is used in step 'poll'" in finding.message for finding in found)


def test_what_the_last_run_of_a_step_made_is_there_in_the_next() -> None:
    assert check("conn = open('a')\npd.flow.rerun(1)", "conn.read()") == []
    assert len(check("conn = open('a')\npd.flow.rerun(1); pd.flow.suspend()", "conn.read()")) == 1


def test_a_retry_begins_before_its_step() -> None:
    (finding,) = check(CONNECT, cell(f"#| retry: 2\n{USE}", "call"))
    assert "is not carried over a retry of step 'call' and is used in step 'call'" in finding.message
    assert check(f"#| retry: 2\n{CONNECT}", USE) == []
    assert check(CONNECT, f"#| retry: 0\n{USE}") == []


def test_what_a_setup_cell_makes_is_made_again() -> None:
    assert check(cell(CONNECT, None, "setup"), f"same = conn\n{USE}", ASK, f"{USE}; same") == []
    assert check(cell(CONNECT, None, "setup"), CONNECT, ASK, USE) == []
    (finding,) = check(cell(CONNECT, None, "setup"), "cursor = conn.cursor()", ASK, "cursor")
    assert "`cursor` (sqlite3.connect.cursor)" in finding.message


def test_a_cell_that_cannot_be_parsed_costs_no_other() -> None:
    found = check(CONNECT, "x = = 1", ASK, USE)
    assert [(finding.cell, finding.level) for finding in found] == [(1, "warning"), (2, "error")]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["#| checkpoint: false\npd.flow.suspend()", "1"], "after a pause that outlives its kernel"),
        (["#| checkpoint: false\npd.flow.rerun(1)"], "after a pause that outlives its kernel"),
        (["#| checkpoint: false\n1", "#| retry: 1\n#| step: call\n1"], "at a retry of step 'call'"),
        (["#| checkpoint: false\n1", "pd.flow.suspend()"], None),
        (["#| checkpoint: false\n#| retry: 1\n1", "1"], None),
        (["pd.flow.suspend()", "#| checkpoint: false\n1"], None),
    ],
)
def test_a_pause_without_a_checkpoint(cells: list[str], said: str | None) -> None:
    found = check(*cells)
    assert len(found) == (said is not None)
    for finding in found:
        assert (finding.cell, finding.level) == (1, "warning")
        assert "no checkpoint: " in finding.message
        assert str(said) in finding.message
