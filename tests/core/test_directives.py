"""The leading ``#|`` lines of a cell."""

from __future__ import annotations

import pytest

from flownb.core.directives import directives, policy
from flownb.core.durations import MINUTE, SECOND
from flownb.core.errors import InvalidValue
from flownb.core.model import Policy, Retry


def test_the_leading_lines_are_one_yaml_mapping() -> None:
    source = "\n#| step: poll\n#|timeout: 5m\n#| retry:\n#|   max: 3\nprint(1)\n#| step: not this\n"
    assert directives(source) == {"step": "poll", "timeout": "5m", "retry": {"max": 3}}


@pytest.mark.parametrize("source", ["", "x = 1", "# comment\n#| step: b", "x = 1\n#| step: late", "#|", " #| step: a"])
def test_a_cell_without_leading_lines_has_no_directives(source: str) -> None:
    assert directives(source) == {}


def test_keys_of_others_are_left_alone() -> None:
    assert policy(directives("#| echo: false\n#| fig-cap: A plot\nplot()"), Policy()) == Policy()


@pytest.mark.parametrize(
    "written",
    [
        "a: b: c",
        "a: [1",
        "- a",
        "just text",
        "a: 2024-13-45",
        "a: !!timestamp x",
        "a: !!python/object:os.system x",
        pytest.param("a: " + "[" * 5_000, id="too deep"),
        pytest.param("a: " + "1" * 5_000, id="too long an int"),
    ],
)
def test_lines_that_are_no_mapping_are_refused(written: str) -> None:
    with pytest.raises(InvalidValue, match=r"its `#\|` lines are"):
        directives(f"#| {written}")


def test_a_policy_is_made_of_directives_over_defaults() -> None:
    defaults = Policy(timeout=MINUTE, retry=Retry(1), once=True)
    assert policy({}, defaults) == defaults
    settings = {"timeout": None, "retry": False, "once": False, "checkpoint": False}
    assert policy(settings, defaults) == Policy(checkpoint=False)


def test_a_retry_is_a_count_or_a_mapping() -> None:
    assert policy({"retry": 2}, Policy()).retry == Retry(2)
    written = {"max": 5, "backoff": "constant", "first": "10s", "limit": "1m"}
    assert policy({"retry": written}, Policy()).retry == Retry(5, "constant", 10 * SECOND, MINUTE)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"timeout": "soon"}, "`timeout`: expected a time"),
        ({"timeout": True}, "`timeout`: expected a number"),
        ({"retry": True}, "`retry` is a count"),
        ({"retry": -1}, "`retry` is a count"),
        ({"retry": 1_001}, "`retry` is a count"),
        pytest.param({"retry": 16**5_000}, "`retry` is a count", id="huge"),
        ({"retry": {}}, "`retry` needs `max`"),
        ({"retry": {"max": 1, "times": 2}}, "`retry` knows max, backoff, first, limit, not 'times'"),
        ({"retry": {"max": 1, "backoff": ["linear"]}}, "`retry.backoff` is exponential or constant"),
        ({"retry": {"max": 1, "first": None}}, "`retry.first`: expected a number"),
        ({"once": "yes"}, "`once` is true or false, got 'yes'"),
        ({"checkpoint": 0}, "`checkpoint` is true or false, got 0"),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        policy(settings, Policy())
    assert str(raised.value).startswith(complaint)
