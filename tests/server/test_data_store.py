"""Data stores as cells use them: over real HTTP, by many executions at once, and by hand with the same rules."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from IPython.core.interactiveshell import InteractiveShell

from flownb.core.links import data_token
from flownb.kernel.cells import HandRun, begin
from flownb.kernel.memory import Memory
from flownb.kernel.pd import pd
from flownb.store.folder import DataFolder
from flownb.store.keys import read_or_make
from tests.support.notebooks import cell
from tests.support.server import TOKEN, Server, returned, step

ALL_OF_IT = """
def tried(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

ds = pd.data_store("all")
said = [len(ds), ds.get("a"), ds.get("a", 5), "a" in ds, tried(lambda: ds["a"]), tried(lambda: ds.pop("a"))]
value = {"deep": [1, 2]}
ds["a"] = value
value["deep"].append(3)
ds["a"]["deep"].append(4)
said += [ds["a"], "a" in ds, len(ds), repr(ds), ds == pd.data_store("all")]
said += [ds.incr("n"), ds.incr("n", by=-2.5), tried(lambda: ds.incr("a"))]
said += [ds.setdefault("n", 9), ds.setdefault("m", [9]), ds.pop("m"), ds.pop("m", "none")]
said += [ds.update("n", lambda n: n * 2), ds.update("l", lambda l: [*l, 1], default=[])]
said += [ds.compare_and_set("n", 1, 2), ds.compare_and_set("n", -3.0, True), ds.compare_and_set("n", 1, 3)]
said += [ds.compare_and_set("new", None, "me"), ds.compare_and_set("new", None, "you"), ds["new"]]
ds.set("short", 1, ttl=3600)
ds.set_ttl("short", None)
said += [tried(lambda: ds.set_ttl("none", 5)), tried(lambda: ds.set("x", 1, ttl=0)), "x" in ds]
said += [list(ds), list(ds.keys()), list(ds.values()), dict(ds.items()), dict(ds) == dict(ds.items())]
said += [tried(lambda: ds.set("x", {"y": [1, {2}]})), tried(lambda: ds.set(1, 1))]
said += [tried(lambda: ds.set("x", "x" * 2**20))]
del ds["a"]
said += [tried(lambda: ds.__delitem__("a")), tried(lambda: pd.data_store("no/name"))]
ds.clear()
said + [len(ds), list(ds.items())]
"""


def test_a_store_is_a_dict_and_the_same_by_hand(shared_server: Server) -> None:
    ended = shared_server.wait(shared_server.run(ALL_OF_IT), "succeeded")
    said: list[str] = []
    by_hand = HandRun()
    by_hand.data = Memory(said.append)
    begin(by_hand)
    shell = InteractiveShell(user_ns={"pd": pd})
    found = shell.run_cell(ALL_OF_IT).result
    begin(HandRun())
    assert returned(ended, "step_1") == found
    assert found[4:6] == ["KeyError: 'a'", "KeyError: 'a'"]
    assert found[6:9] == [{"deep": [1, 2]}, True, 1]
    assert "all['x'].y[1] is of type set" in "".join(one for one in found if isinstance(one, str))
    assert said == [
        "Outside an execution, data stores are empty and in memory: what is put there ends with this kernel."
    ]


def test_what_a_store_holds_is_there_for_the_next_execution_after_a_crash(make_server: Callable[..., Server]) -> None:
    server = make_server(moving_clock=True).start()
    write = "ds = pd.data_store('kept'); ds['k'] = 1; ds.set('short', 1, ttl=3600)\npd.flow.suspend()"
    execution = server.run(write, "ds.incr('k'), 'short' in ds")
    server.wait(execution, "suspended")
    server.kill()
    server.start()
    server.advance(minutes=30)
    assert returned(server.wait(server.run("list(pd.data_store('kept'))"), "succeeded"), "step_1") == ["k", "short"]
    server.advance(minutes=30)
    server.post(execution, "resume")
    assert returned(server.wait(execution, "succeeded"), "step_2") == [2, False]


def test_executions_that_count_together_lose_nothing_and_one_of_a_race_wins(shared_server: Server) -> None:
    server = shared_server
    count = """
ds = pd.data_store("together")
for _ in range(50):
    ds.incr("n")
for _ in range(5):
    ds.update("list", lambda l: [*l, pd.context.trace_id], default=[])
ds.compare_and_set("winner", None, pd.context.trace_id)
"""
    ids = [server.run(count) for _ in range(8)]
    won = [returned(server.wait(one, "succeeded"), "step_1") for one in ids]
    look = server.run("dict(pd.data_store('together'))")
    found = returned(server.wait(look, "succeeded"), "step_1")
    assert found["n"] == 400
    assert sorted(found["list"]) == sorted(ids * 5)
    assert (sum(won), ids[won.index(True)]) == (1, found["winner"])


def test_threads_coroutines_forks_and_setup_cells_use_a_store_too(shared_server: Server) -> None:
    setup = cell("ds = pd.data_store('where'); ds['setup'] = True; kept = ds", None, "setup")
    use = """
import asyncio, os
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda n: ds.incr("threads"), range(40)))
await asyncio.gather(*(asyncio.to_thread(ds.incr, "coroutines") for _ in range(5)))
ds.incr("coroutines")
child = os.fork()
if child == 0:
    ds["child"] = True
    os._exit(0)
os.waitpid(child, 0)
dict(ds)
"""
    ended = shared_server.wait(shared_server.run(setup, use, "ds is kept and ds['child']"), "succeeded")
    assert returned(ended, "step_1") == {"child": True, "coroutines": 6, "setup": True, "threads": 40}
    assert returned(ended, "step_2") is True


def test_many_keys_come_a_page_at_a_time(shared_server: Server) -> None:
    fill = """
ds = pd.data_store("many")
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(32) as pool:
    list(pool.map(lambda n: ds.set(f"{n:05}", n), range(2100)))
list(ds) == sorted(ds) and list(ds.values()) == list(range(2100)) and len(ds)
"""
    assert returned(shared_server.wait(shared_server.run(fill), "succeeded"), "step_1") == 2100


def test_the_key_is_good_for_one_segment_while_it_runs_and_never_shown(shared_server: Server) -> None:
    server = shared_server
    tell = """
from flownb.kernel.cells import running
told = running().data
open("key.txt", "w").write(told.key)
import pickle
try:
    pickle.dumps(told)
except TypeError as error:
    refused = str(error)
(told.key[-20:] in repr(vars(running())), refused)
"""
    export = "pd.export('key', running().data.key)"
    execution = server.run(tell, "import time\nwhile 'go' not in pd.data_store('key'): time.sleep(0.02)", export)
    key = server.until(lambda: (server.root / "key.txt").exists() and (server.root / "key.txt").read_text())
    url = server.api.replace("/api", "/kernel/data")

    def ask(bearer: str, **said: Any) -> tuple[int, Any]:
        answer = httpx.post(url, headers={"Authorization": f"Bearer {bearer}"}, json={"store": "key", **said})
        return answer.status_code, answer.json()

    def refused(*keys: str) -> bool:
        return all(ask(one, op="set", key="forged", value=1)[0] == 403 for one in keys)

    assert ask(key, op="get", key="go") == (200, {"result": {"found": False, "value": None, "revision": 0}})
    other = data_token(read_or_make(DataFolder(server.root / ".flownb").key).secret, execution, 2)
    assert refused("x", TOKEN, key[:-1], key.replace(".1.", ".2."), f"{execution}.2.{other}", f"{execution}.x.{other}")
    assert ask(key, op="drop")[0] == ask(key, op="set", key="go")[0] == ask(key, op="get", key="\0")[0] == 400
    assert httpx.get(url).status_code == 405
    assert ask(key, op="set", key="go", value=1) == (200, {"result": None})
    failed = server.wait(execution, "failed")
    assert "links are secrets" in failed["error"]["evalue"]
    assert returned(failed, "step_1") == [False, "the way to the data stores belongs to one segment of an execution"]
    assert step(failed, "step_3")["status"] == "failed"
    assert refused(key)
    assert key.rpartition(".")[2] not in server.log.read_text()


def test_a_server_on_a_unix_socket_is_reached(make_server: Callable[..., Server], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("s") / "sock"
    server = make_server(f"--ServerApp.sock={path}", port=8888)  # Jupyter's own, so that it counts as not set
    server.http = httpx.Client(
        transport=httpx.HTTPTransport(uds=str(path)),
        base_url="http://localhost/flownb/api",
        headers={"Authorization": f"token {TOKEN}"},
    )
    server.launch()
    server.until(path.exists)
    server.until(server.is_healthy)
    assert returned(server.wait(server.run("pd.data_store('a').incr('n')"), "succeeded"), "step_1") == 1


def test_a_server_with_a_certificate_of_its_own_is_reached_and_no_other(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    for name in ("own", "other"):
        ask = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=nobody.example -keyout {name}.key -out {name}.crt"
        subprocess.run(["openssl", *ask.split()], cwd=tmp_path, check=True, capture_output=True)
    server = make_server(f"--ServerApp.certfile={tmp_path}/own.crt", f"--ServerApp.keyfile={tmp_path}/own.key")
    server.environment["HTTPS_PROXY"] = server.environment["https_proxy"] = "http://127.0.0.1:9"
    server.http = httpx.Client(
        verify=False,
        base_url=server.api.replace("http:", "https:"),
        headers={"Authorization": f"token {TOKEN}"},
    )
    server.start()
    assert returned(server.wait(server.run("pd.data_store('a').incr('n')"), "succeeded"), "step_1") == 1
    change = "from flownb.kernel.cells import running; running().data._certificate = '0' * 64"
    failed = server.wait(server.run(f"{change}\npd.data_store('a').incr('n')"), "failed")
    assert "another certificate" in failed["error"]["evalue"]


@pytest.mark.parametrize("op", ["set", "incr"])
def test_a_server_that_is_gone_is_said(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from flownb.kernel import remote

    monkeypatch.setattr(remote, "WAITS", (0.0, 0.0))
    told = {"url": "http://127.0.0.1:9/flownb/kernel/data", "key": "k", "certificate": None}
    with pytest.raises(remote.NoAnswer, match="the server does not answer"):
        remote.Remote(told).ask(op, "s", key="k", value=1)
