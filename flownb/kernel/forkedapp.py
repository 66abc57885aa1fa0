"""ipykernel's application in a forked process, whose memory is copied page by page when anything in it is looked at.

An ordinary start looks at everything: at all options to read a few arguments, at all modules to note their files. In a
fork, that takes a third of the time. Here the same comes of looking at what was noted before the fork.
"""

from __future__ import annotations

import gc
import importlib
import os
import re
import sys
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

from ipykernel import ipkernel
from ipykernel.kernelapp import IPKernelApp

_PLAIN = re.compile(r"--(\w+)\.(\w+)=(.*)", re.DOTALL)
"""An argument that needs no parser which knows every alias and flag."""

_loader: Any = importlib.import_module("traitlets.config.loader")
_traitlets: Any = importlib.import_module("traitlets")


@cache
def _application() -> Any:
    return IPKernelApp.instance()


@cache
def _traits() -> dict[tuple[str, str], Any]:
    """What can be set, by names of class and trait."""
    classes = _application()._classes_with_config_traits()
    return {(each.__name__, name): trait for each in classes for name, trait in each.class_traits(config=True).items()}


@cache
def _files() -> list[str]:
    """Of the modules that there are, in memory of their own."""
    files = [getattr(module, "__file__", None) for module in tuple(sys.modules.values())]
    return [file[:1] + file[1:] for file in files if file]


class _System(SimpleNamespace):
    """``sys`` without its modules."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def prepare() -> None:
    """Before the author's libraries are imported and kernels are forked: what all of them have in common."""
    _traits()
    _files()


def run(arguments: list[str], parent: int) -> None:
    """Until the kernel ends. It also ends when its parent process is another one than ``parent``."""
    app = _application()
    app.parent_handle = parent
    if (config := _config(arguments)) is not None:
        app.parse_command_line = partial(_take, app, config)
    vars(ipkernel)["sys"] = _System(modules={})
    try:
        app.initialize(arguments)
    finally:
        vars(ipkernel)["sys"] = sys
    # The debugger hides the kernel's own modules from the author; those that were imported for the author are not.
    getattr(app.kernel, "_kernel_modules", []).extend(_files())
    gc.enable()
    app.start()
    _finish_control(app)


def _finish_control(app: Any) -> None:
    """Let the thread that was asked to end the kernel answer.

    ipykernel closes its output before it waits for that thread, which may be about to write to it, and both wait.
    """
    thread = app.control_thread
    if thread.is_alive():
        thread.stop()
        thread.join()


def _config(arguments: list[str]) -> Any:
    """What the application's own parser makes of a connection file and plain settings; None for anything else."""
    config = _loader.Config()
    if arguments[:1] != ["-f"] or len(arguments) == 1:
        return None
    for argument in (f"--IPKernelApp.connection_file={arguments[1]}", *arguments[2:]):
        setting = _PLAIN.fullmatch(argument)
        if setting is None:
            return None
        owner, name, text = setting.groups()
        trait = _traits().get((owner, name))
        if isinstance(trait, _traitlets.Container | _traitlets.Dict) or name in config[owner]:
            return None  # these are collected over several arguments
        value = _loader.DeferredConfigString(text if trait else os.path.expanduser(text))  # noqa: PTH111 - as it does
        config[owner][name] = value.get_value(trait) if trait else value
    return config


def _take(app: Any, config: Any, arguments: list[str]) -> None:
    """In the place of ``parse_command_line``."""
    app.argv = arguments
    app.cli_config = config
    app.update_config(config)
    app.extra_args = []
