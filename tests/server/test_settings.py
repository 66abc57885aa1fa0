"""The settings, and the sample configuration that shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError, TraitType
from traitlets.config.loader import PyFileConfigLoader

from flownb.server.app import FlowNB
from flownb.server.blobs import Blobs
from flownb.server.exposure import Exposure

SAMPLE = Path(__file__).parents[2] / "jupyter_server_config.py"
FOR_TESTS = {"clock_class"}


def settings() -> dict[str, TraitType[Any, Any]]:
    """Those of flownb's own."""
    parts = (Blobs, Exposure, FlowNB)
    return {name: trait for part in parts for name, trait in part.class_own_traits(config=True).items()}


def test_the_sample_configuration_shows_every_setting_with_its_default() -> None:
    shown = dict(re.findall(r"^# c\.FlowNB\.(\w+) = (.*)$", SAMPLE.read_text(), re.MULTILINE))
    traits = settings()
    assert set(shown) == set(traits) - FOR_TESTS
    assert {name: repr(traits[name].default()).replace("'", '"') for name in shown} == shown


def test_the_sample_configuration_is_one_that_jupyter_loads(tmp_path: Path) -> None:
    everything = tmp_path / "jupyter_server_config.py"
    everything.write_text(SAMPLE.read_text().replace("# c.FlowNB", "c.FlowNB"))
    loaded = PyFileConfigLoader(str(everything)).load_config()
    assert len(loaded.FlowNB) == len(settings()) - len(FOR_TESTS)
    assert FlowNB(config=loaded).max_running == FlowNB.max_running.default_value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_running", 0),
        ("callback_port", 70_000),
        ("default_timeout", "soon"),
        ("journal_mode", "MEMORY"),
        ("smtp_security", "ssl"),
        ("owner", "ada"),
        ("mail_from", "ada@example.org\nBcc: eve@example.org"),
        ("warm_seconds", -1),
        ("trusted_proxies", ["proxy.example.org"]),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(name: str, value: object) -> None:
    with pytest.raises(TraitError):
        FlowNB(**{name: value})
