"""A forked kernel is what one is that was started in the ordinary way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flownb.bridge.forkservers import PRELOAD, ForkServers
from tests.bridge.forks import Message, kernel, serving
from tests.support.asyncio import in_loop

Folders = Callable[[], Path]

SIGNALS = "{number: str(__import__('signal').getsignal(number)) for number in range(1, 32)}"
DESCRIPTORS = (
    "[__import__('os').readlink(f'/proc/self/fd/{d}') for d in __import__('os').listdir('/proc/self/fd')[3:-1]]"
)


@in_loop
async def test_it_cannot_be_told_from_an_ordinary_one(folders: Folders, servers: ForkServers) -> None:
    folder = folders()
    async with kernel(folder, servers, PRELOAD) as forked, kernel(folder, None) as ordinary:
        assert forked.forked
        assert not ordinary.forked
        for fact in (
            "__import__('sys').path",
            "[__import__('re').sub(r'\\d+.json', '', each) for each in __import__('sys').argv]",
            "[__import__('re').sub(r'\\d+.json', '', each) for each in __import__('sys').orig_argv]",
            "__import__('sys').executable",
            "str(__import__('sys').flags)",
            "__import__('os').getcwd()",
            "dict(__import__('os').environ)",
            SIGNALS,
            "sorted(__import__('re').sub(r'\\d+', '', thread.name) for thread in __import__('threading').enumerate())",
            "__import__('os').getpid() == __import__('os').getsid(0) == __import__('os').getpgrp()",
            "{name: type(value).__name__ for name, value in globals().items()}",
            "str(get_ipython().config).split('.json')[1:]",
            "type(get_ipython().kernel.parent).__name__",
            "'pandas' in str(get_ipython().kernel._kernel_modules)",
            "__import__('sys').modules['__main__'] is get_ipython().user_module",
            "__import__('logging').getLogger().handlers",
            "[__import__('sys').stdin.read(), __import__('os').umask(0o22)]",
        ):
            assert await forked.value(fact) == await ordinary.value(fact), fact


@in_loop
async def test_it_has_no_file_open_that_is_not_its_own(folders: Folders, servers: ForkServers) -> None:
    server = await serving(servers, PRELOAD)
    async with kernel(folders(), servers, PRELOAD), kernel(folders(), servers, PRELOAD) as made:
        theirs = open_files(server._process.pid)
        assert len(theirs) > 4
        own = await made.value(DESCRIPTORS)
        assert len(own) > 10
        assert {each for each in own if each in theirs or "told" in each} == set()


def open_files(pid: int) -> set[str]:
    return {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}


@in_loop
async def test_it_has_its_own_folder_and_environment(
    folders: Folders, servers: ForkServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders()
    monkeypatch.setenv("NOT_FOR_IT", "1")
    environment = {**os.environ, "FOR_IT": "ä\udcff", "TZ": "Asia/Tokyo"}
    del environment["NOT_FOR_IT"]
    async with kernel(folder, servers, PRELOAD, env=environment, cwd=str(folder)) as made:
        assert made.forked
        assert await made.value("__import__('os').environ.get('FOR_IT')") == "ä\udcff"
        assert await made.value("__import__('os').environ.get('NOT_FOR_IT')") is None
        assert await made.value("__import__('os').environ['JPY_PARENT_PID']") == str(os.getpid())
        assert await made.value("[__import__('os').getcwd(), __import__('time').tzname[0]]") == [str(folder), "JST"]
        shell = "import subprocess; said = subprocess.run('echo $FOR_IT', shell=True, capture_output=True).stdout"
        assert await made.run(shell, "said") == b"\xc3\xa4\xff\n"
        (folder / "beside.py").write_text("here = True")
        assert await made.run("import beside", "beside.here") is True


@in_loop
async def test_two_have_nothing_random_in_common(folders: Folders, servers: ForkServers) -> None:
    folder = folders()
    drawn = (
        "[__import__('random').random(), __import__('numpy').random.random(), str(__import__('uuid').uuid4()),"
        " __import__('tempfile').mktemp(), __import__('secrets').token_hex(),"
        " __import__('multiprocessing').current_process().authkey]"
    )
    async with kernel(folder, servers, PRELOAD) as one, kernel(folder, servers, PRELOAD) as other:
        assert one.forked
        for first, second in zip(await one.value(drawn), await other.value(drawn), strict=True):
            assert first != second


@pytest.mark.parametrize("code", ["", "%matplotlib inline\n"], ids=["unasked", "asked"])
@in_loop
async def test_figures_are_shown(folders: Folders, servers: ForkServers, code: str) -> None:
    shown: list[str] = []

    def publish(message: Message) -> None:
        shown.extend(message["content"].get("data", ()))

    async with kernel(folders(), servers, PRELOAD) as made:
        await made.run(f"{code}import matplotlib.pyplot as plt; plt.plot([1, 2]);", publish=publish)
    assert "image/png" in shown


BATTERY = {
    "matmul": ("import numpy as np; a = np.ones((500, 500)); it = float((a @ a)[0, 0])", 500.0),
    "svd": ("import numpy as np; it = np.linalg.svd(np.eye(200))[1].sum().item()", 200.0),
    "pandas": ("import pandas as pd; it = int(pd.DataFrame({'a': [1, 1], 'b': [2, 3]}).groupby('a').sum().b[1])", 5),
    "subprocess": ("import subprocess as s; it = s.run(['echo', 'x'], capture_output=True, text=True).stdout", "x\n"),
    "shell": ("it = !echo x; echo y\nit = list(it)", ["x", "y"]),
    "thread": (
        "import threading; it = []\nt = threading.Thread(target=lambda: it.append(1)); t.start(); t.join()",
        [1],
    ),
    "pool of threads": (
        "from concurrent.futures import *; it = list(ThreadPoolExecutor(2).map(abs, [-1, -2]))",
        [1, 2],
    ),
    "pool of forks": (
        "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: it = p.map(abs, [-1, -2])",
        [1, 2],
    ),
    "await": ("import asyncio; await asyncio.sleep(0); it = await asyncio.to_thread(lambda: 'done')", "done"),
    "queue": ("import multiprocessing as m; q = m.Queue(); q.put(3); it = q.get()", 3),
    "sqlite": ("import sqlite3; it = sqlite3.connect(':memory:').execute('select 4').fetchone()[0]", 4),
    "openssl": ("import ssl, hashlib; it = len(ssl.RAND_bytes(8) + hashlib.sha256().digest())", 40),
}


@in_loop
async def test_a_bit_of_everything_works(folders: Folders, servers: ForkServers) -> None:
    async with kernel(folders(), servers, PRELOAD) as made:
        assert made.forked
        for name, (code, expected) in BATTERY.items():
            assert await made.run(code, "it") == expected, name


@in_loop
async def test_what_it_prints_past_python_and_its_logs_go_where_they_should(
    folders: Folders, servers: ForkServers
) -> None:
    printed: list[str] = []

    def publish(message: Message) -> None:
        printed.append(message["content"].get("text", ""))

    async with kernel(folders(), servers, PRELOAD) as made:
        await made.run("import os; os.system('echo through'); print('directly')", publish=publish)
        while "through" not in "".join(printed):
            await made.run("pass", publish=publish)
        await made.run(
            "__import__('logging').getLogger('traitlets').parent.handlers; get_ipython().kernel.log.error('a word')"
        )
        assert "directly" in "".join(printed)
        assert "a word" in made.log.read_text()


@in_loop
async def test_twenty_at_once(folders: Folders, servers: ForkServers) -> None:
    folder = folders()

    async def one() -> int:
        async with kernel(folder, servers, PRELOAD) as made:
            assert made.forked
            pid: int = await made.value("__import__('os').getpid()")
            return pid

    assert len(set(await asyncio.gather(*(one() for _ in range(20))))) == 20


@in_loop
async def test_options_of_ipykernel_are_understood(folders: Folders, servers: ForkServers) -> None:
    lines = ["--InteractiveShellApp.exec_lines=a = 1", "--InteractiveShellApp.exec_lines=b = 2"]
    for arguments in (lines, [*lines, "--log-level=40"]):
        async with kernel(folders(), servers, PRELOAD, extra_arguments=arguments) as made:
            assert made.forked
            assert await made.value("[a, b]") == [1, 2]
            level = await made.value("get_ipython().kernel.parent.log_level")
            assert level == (30 if arguments == lines else 40)


@in_loop
async def test_peoples_own_profiles_are_read(folders: Folders, servers: ForkServers) -> None:
    folder = folders()
    profile = folder / "profile_default"
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "first.py").write_text("started = True")
    (profile / "ipython_config.py").write_text("get_config().InteractiveShell.ast_node_interactivity = 'all'")
    async with kernel(folder, servers, PRELOAD, env={**os.environ, "IPYTHONDIR": str(folder)}) as made:
        assert made.forked
        assert await made.value("[started, get_ipython().ast_node_interactivity]") == [True, "all"]


@in_loop
async def test_it_can_be_debugged(folders: Folders, servers: ForkServers) -> None:
    async with kernel(folders(), servers, PRELOAD) as made:
        asked = {"type": "request", "seq": 1, "command": "initialize", "arguments": {"adapterID": "x"}}
        made.client.control_channel.send(made.client.session.msg("debug_request", asked))
        answer = (await made.client.get_control_msg(timeout=30))["content"]
        assert (answer["command"], answer["success"]) == ("initialize", True)
