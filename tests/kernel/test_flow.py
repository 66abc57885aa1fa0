"""What ``pd.flow`` takes and refuses, without a kernel."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

import flownb
from flownb.core.errors import InvalidValue
from flownb.kernel.links import Links
from flownb.kernel.step import Step

from .conftest import LINKS

YEAR = timedelta(days=366)
flow: Any = flownb.flow  # what authors pass is not always what its types say
pd = flownb.pd


class Form(BaseModel):
    name: str


def test_arguments_are_copied_at_the_call(step: Step) -> None:
    context = {"jobs": [1]}
    flow.rerun(1, context)
    context["jobs"].append(2)
    assert step.pauses[0]["context"] == {"jobs": [1]}


def test_the_ends_of_the_ranges(step: Step) -> None:
    flow.suspend(1)
    flow.suspend(YEAR)
    flow.rerun(0)
    flow.delay(timedelta(milliseconds=1))
    assert [pause["after_ms"] for pause in step.pauses] == [1, 366 * 86_400_000, 0, 1]


def test_reminders_come_every_minute_or_less_often(step: Step) -> None:
    flow.suspend()
    flow.suspend(remind_every=60_000)
    flow.suspend(remind_every=timedelta(hours=1))
    assert [pause["remind_every"] for pause in step.pauses] == [None, 60_000, 3_600_000]


def test_a_form_may_be_a_pydantic_model(step: Step) -> None:
    flow.suspend(form=Form)
    assert step.pauses[0]["form"] == Form.model_json_schema()


def test_spellings_of_max_retries(step: Step) -> None:
    flow.rerun(1)
    flow.rerun(1, None, 3)
    flow.rerun(1, maxRetries=4)
    flow.rerun(1, max_retries=0)
    assert [pause["max_retries"] for pause in step.pauses] == [10, 3, 4, 0]


@pytest.mark.parametrize(
    "call",
    [
        *(lambda time=time: flow.suspend(time) for time in (0, -1, True, None, math.nan, math.inf, "1")),
        *(lambda time=time: flow.delay(time) for time in (0, -1, True, None, math.nan, YEAR * 2)),
        *(lambda time=time: flow.rerun(time) for time in (-1, False, None)),
        *(lambda number=number: flow.rerun(1, None, number) for number in (-1, True, 1.0, None, "3")),
        lambda: flow.rerun(1, maxRetries=10, max_retries=10),
        lambda: flow.rerun(1, {1: 2}),
        lambda: flow.suspend(on_timeout="fail"),
        lambda: flow.suspend(reason=1),
        *(lambda form=form: flow.suspend(form=form) for form in (object(), True, "text", [], {"default": math.nan})),
        lambda: flow.suspend(confirm=1),
        *(lambda time=time: flow.suspend(remind_every=time) for time in (59_999, 0, True, "1h", YEAR * 2)),
        lambda: flow.exit(1),
        lambda: pd.export("", 1),
        lambda: pd.export("$return_value", 1),
        lambda: pd.export("a", math.nan),
    ],
)
def test_what_does_not_fit_raises_at_the_call(step: Step, call: Callable[[], Any]) -> None:
    with pytest.raises(InvalidValue):
        call()
    assert (step.pauses, step.exports, step.leaving) == ([], {}, None)


def test_retry_is_the_former_name_of_rerun(step: Step) -> None:
    with pytest.warns(DeprecationWarning, match="called pd.flow.rerun") as warned:
        assert flow.retry(5, None, 2) == {name: LINKS[name] for name in ("resume_url", "cancel_url")}
    assert warned[0].filename == __file__
    assert step.pauses == [{"kind": "rerun", "after_ms": 5, "context": None, "max_retries": 2}]


def test_links_are_a_dict_that_hides_its_secrets_when_shown() -> None:
    links = Links(**LINKS)
    assert set(links) == {"resume_url", "cancel_url"}
    assert f"{links['resume_url']}" == LINKS["resume_url"]
    assert links.review_url == LINKS["review_url"]
    assert json.loads(json.dumps(links)) == dict(links)
    shown = "{'resume_url': 'http://host/flownb/resume/…', 'cancel_url': 'http://host/flownb/cancel/…'}"
    assert repr(links) == str(links) == f"{links}" == shown
    for twin in (copy.copy(links), copy.deepcopy(links), pickle.loads(pickle.dumps(links))):
        assert twin == links
        assert twin.review_url == links.review_url


def test_pd_and_flow_pickle_by_the_names_authors_know() -> None:
    assert pickle.loads(pickle.dumps((pd, flow))) == (pd, flow)
    assert b"flownb.kernel" not in pickle.dumps((pd, flow), protocol=0)


def test_pd_says_what_it_has() -> None:
    names = ["context", "continue_", "data_store", "export", "flow", "inputs", "respond", "run", "send", "steps"]
    assert dir(pd) == names
    with pytest.raises(AttributeError, match=f"pd has no 'reply': there is {', '.join(names)}"):
        _ = pd.reply
    assert pd.flow is flow
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = flownb.nothing
