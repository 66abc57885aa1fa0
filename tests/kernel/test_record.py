"""``pd.steps`` and ``pd.context``: dicts that are read as attributes too."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from flownb.kernel.record import Context, Record, Steps

DATA = {"k": 1, "inner": {"x": {"y": None}}, "list": [{"a": 1}, [{"b": 2}]], "items": "data"}


def test_items_are_attributes_at_any_depth() -> None:
    record = Record(DATA)
    assert record.k == record["k"] == 1
    assert record.inner.x.y is None
    assert record.list[0].a == 1
    assert record.list[1][0].b == 2
    assert record["items"] == "data"
    assert dict(record.items()) == DATA
    assert {"k", "inner", "get"} <= set(dir(record))


def test_it_is_a_dict() -> None:
    record = Record(DATA)
    assert record == DATA
    assert json.loads(json.dumps(record)) == DATA
    assert repr(record) == repr(DATA)
    for twin in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert twin == DATA
        assert isinstance(twin, Record)
        assert twin.inner.x.y is None


def test_an_unknown_attribute_names_those_there_are() -> None:
    with pytest.raises(AttributeError, match="no 'kk' here: there is 'k', 'inner'"):
        _ = Record(DATA).kk
    with pytest.raises(AttributeError, match="there is nothing"):
        _ = Record({}).k
    with pytest.raises(AttributeError):
        setattr(Record(DATA), "k", 2)  # noqa: B010


def test_keys_that_may_be_absent() -> None:
    run = Context({"run": {"runs": 1, "context": None}}).run
    assert run.callback_request is None
    assert "callback_request" not in run
    assert Context({"run": {"callback_request": {"body": 1}}}).run.callback_request.body == 1


def test_a_steps_return_value_is_looked_into() -> None:
    steps = Steps(
        {
            "a": {"x": 1, "$return_value": {"x": 2, "y": {"z": 3}}, "$resume_data": {"body": "ok"}},
            "b": {"$return_value": [1]},
            "trigger": {"event": {"body": None}, "context": {}},
        }
    )
    a = steps["a"]
    assert (a["x"], a.x, a.get("x")) == (1, 1, 1)
    assert (a["y"], a.y.z, a.get("y"), "y" in a) == ({"z": 3}, 3, {"z": 3}, True)
    assert a["$return_value"] is a.return_value
    assert a.resume_data.body == "ok"
    assert ("z" in a, a.get("z"), a.get("z", 0)) == (False, None, 0)
    with pytest.raises(KeyError, match="not among the step's exports"):
        a["z"]
    with pytest.raises(AttributeError, match="no 'z' here"):
        _ = a.z
    assert (steps.b.return_value, steps.b.resume_data, "y" in steps.b) == ([1], None, False)
    assert json.loads(json.dumps(a)) == {
        "x": 1,
        "$return_value": {"x": 2, "y": {"z": 3}},
        "$resume_data": {"body": "ok"},
    }


def test_an_unknown_step_names_those_there_are() -> None:
    steps = Steps({"trigger": {"event": {}}, "fetch": {}})
    with pytest.raises(KeyError, match="'trigger', 'fetch'"):
        steps["fetsch"]
    with pytest.raises(AttributeError, match="'trigger', 'fetch'"):
        _ = steps.fetsch
    assert pickle.loads(pickle.dumps(steps)).fetch == {}
