"""Which server is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flownb.client import NoServer, find, servers
from flownb.core.errors import InvalidValue
from tests.client_support import TOKEN, Server


def test_the_server_whose_root_folder_holds_the_notebook(server: Server, tmp_path: Path) -> None:
    found = find(near=server.root / "deep" / "down.ipynb")
    assert found.url == server.client.url
    assert found.root == server.root
    found.close()
    with pytest.raises(NoServer, match=r"no Jupyter server .* `flownb serve`"):
        find(near=tmp_path)


def test_the_working_directory_is_what_counts_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(server.root)
    find().close()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoServer):
        find()


def test_a_kernel_finds_its_own_server(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not server.client.own
    monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))
    monkeypatch.chdir(tmp_path)
    for found in (find(), find(server.client.url)):
        assert found.own
        found.close()
    with pytest.raises(NoServer):
        find(near=tmp_path)  # a notebook that its server cannot reach


def test_an_address_is_taken_as_it_is() -> None:
    found = find("https://hub.example.org/user/me", "secret")
    assert (found.url, found.root) == ("https://hub.example.org/user/me/", None)
    found.close()


@pytest.mark.parametrize(
    "url", ["", "localhost:8888", "ftp://a/", "http://", "http://a:port/", "http://a/?token=secret"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="is not the address of a server"):
        find(url)


def test_the_address_of_a_server_here_needs_no_token(server: Server) -> None:
    for host in ("127.0.0.1", "localhost"):
        found = find(server.client.url.replace("localhost", host))
        assert found.health()["status"] == "active"
        assert found.root == server.root
        found.close()


def test_the_deepest_root_folder_comes_first_and_those_of_no_use_are_passed_over(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def info(pid: int, root: Path, url: str, token: str = TOKEN) -> dict[str, Any]:
        return {"pid": pid, "url": url, "token": token, "root_dir": str(root), "sock": ""}

    url = server.client.url
    there = [
        info(1, server.root.parent, url),
        info(2, server.root, "http://127.0.0.1:1/"),
        info(3, server.root.parent.parent, url),
    ]
    monkeypatch.setattr(servers, "running", lambda: iter(there))
    found = find(near=server.root)
    assert found.root == server.root.parent
    found.close()
    there[:] = [info(4, server.root, url, "wrong")]
    with pytest.raises(NoServer, match="is the token right"):
        find(near=server.root)
