"""A workflow's settings: what they mean, and complaints that name the key."""

from __future__ import annotations

from typing import Any

import pytest

from flownb.core.errors import InvalidValue
from flownb.core.settings import Auth, Input, Quota, Schedule, Settings, Watch, settings
from flownb.core.settings_schema import SCHEMA


def test_nothing_said_is_all_defaults() -> None:
    assert settings({}) == Settings()


def test_everything_said_is_read() -> None:
    found = settings(
        {
            "name": "orders",
            "http": {"respond": True, "auth": {"type": "github", "secret": "HOOK"}},
            "schedule": [{"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin"}, {"every": "1h", "missed": "all"}],
            "watch": {"folder": "in", "pattern": "*.csv"},
            "on_error": "errors",
            "concurrency": 2,
            "throttle": {"most": 10, "per": "1m"},
            "queue": 100,
            "inputs": {"limit": 3, "token": {"secret": "API_TOKEN"}, "nested": {"secret": "A", "b": 1}},
            "of_another_tool": 1,
        }
    )
    assert (found.name, found.on_error, found.unknown) == ("orders", "errors", ("of_another_tool",))
    assert (found.hook.auth, found.hook.wait) == (Auth("github", "HOOK"), 30_000)
    berlin = Schedule(cron="0 9 * * MON-FRI", timezone="Europe/Berlin")
    assert found.schedules == (berlin, Schedule(every=3_600_000, missed="all"))
    assert found.watches == (Watch("in", "*.csv"),)
    assert found.quota == Quota(2, 10, 60_000, 100)
    nested = Input(value={"secret": "A", "b": 1})
    assert found.inputs == {"limit": Input(value=3), "token": Input(secret="API_TOKEN"), "nested": nested}


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"name": "a b"}, "`name` does not match"),
        ({"schedule": {}}, "`schedule` has either `cron` or `every`"),
        ({"schedule": {"cron": "* * * * *", "every": "1h"}}, "`schedule` has either `cron` or `every`"),
        ({"schedule": {"cron": "61 * * * *"}}, "`schedule.cron` '61"),
        ({"schedule": {"cron": "* * * * * *"}}, "is to have five fields"),
        ({"schedule": {"cron": "0 0 30 2 *"}}, "`schedule.cron` '0 0 30 2 *': Bad day-of-month"),
        ({"schedule": {"every": "999ms"}}, "`schedule.every` is at least a second"),
        ({"schedule": {"cron": "* * * * *", "timezone": "Berlin"}}, "`schedule.timezone` 'Berlin'"),
        ({"schedule": {"cron": "* * * * *", "timezone": "../etc"}}, "`schedule.timezone` '../etc'"),
        ({"schedule": {"every": "soon"}}, "`schedule.every`: expected a time"),
        ({"schedule": {"evry": "1h"}}, "evry"),
        ({"watch": {"pattern": "*"}}, "`watch.folder` is required"),
        ({"throttle": {"most": 0, "per": "1m"}}, "`throttle.most` must be at least 1"),
        ({"throttle": {"most": 1, "per": "2d"}}, "`throttle.per` is at most a day"),
        ({"http": {"auth": {"type": "magic", "secret": "A"}}}, "`http.auth.type` is not one of"),
        ({"http": {"auth": {"type": "bearer", "secret": "s3cr3t-value"}}}, "`http.auth.secret` does not match"),
        ({"concurrency": 0}, "`concurrency` must be at least 1"),
        ({"on_error": 1}, "`on_error` must be a text or empty"),
        ({"timeout": "soon"}, "`timeout`"),
    ],
)
def test_a_complaint_names_the_key(said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        settings(said)
    assert complaint in str(caught.value)


def test_every_setting_is_described() -> None:
    assert all(isinstance(one.get("description"), str) for one in SCHEMA["properties"].values())
