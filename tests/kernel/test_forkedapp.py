"""What a forked kernel does in a shorter way than ipykernel has the same result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ipykernel.kernelapp import IPKernelApp

from flownb.kernel import forkedapp


@pytest.fixture(autouse=True)
def _no_application() -> Iterator[None]:
    yield
    forkedapp._application.cache_clear()
    IPKernelApp.clear_instance()


def ordinary(arguments: list[str]) -> Any:
    app = IPKernelApp()
    app.parse_command_line(arguments)
    return app.cli_config


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--HistoryManager.enabled=False", "--IPythonKernel._execute_sleep=0"],
        ["--HistoryManager.hist_file=~/h", "--Unknown.trait=~/x", "--Session.key=abc"],
        ["--IPKernelApp.ip=1.2.3.4", "--IPKernelApp.capture_fd_output=False"],
        ["--ZMQInteractiveShell.colors=a = b\n"],
    ],
)
def test_plain_settings_are_read_as_ipykernel_reads_them(arguments: list[str]) -> None:
    given = ["-f", "~/connection.json", *arguments]
    assert sorted(map(repr, forkedapp._config(given).items())) == sorted(map(repr, ordinary(given).items()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--f=x"],
        ["-f"],
        ["-f", "x", "--debug"],
        ["-f", "x", "--ip=1.2.3.4"],
        ["-f", "x", "--InteractiveShellApp.exec_lines=a = 1"],
        ["-f", "x", "--InteractiveShell.colors=A", "--InteractiveShell.colors=B"],
        ["-f", "x", "--IPKernelApp.connection_file=y"],
    ],
)
def test_all_others_are_left_to_ipykernel(arguments: list[str]) -> None:
    assert forkedapp._config(arguments) is None
