"""Which alerts meet the conditions of a playbook (python-playbooks.md 1). Pure: no database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.conditions import check, matches

ALERT = {
    "severity": "critical",
    "status": "in_progress",
    "tags": ["Docker", "prod"],
    "owner": None,
    "count": 3,
    "hostname": "FIN-LT-0231",
    "observables": [{"type": "ip", "value": "203.0.113.7"}, {"type": "domain", "value": "evil.example"}],
    "raw": {
        "process": {"name": "CMD.exe", "args": ["/c", "whoami"]},
        "kibana.alert.rule.name": "Brute force",
        "rule": {"level": 12, "mitre": {"id": ["T1110"]}},
        "flag": True,
        "severity": "low",
    },
}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"severity": "critical"}, True),
        ({"severity": ["high", "Critical"]}, True),
        ({"severity": ["high"]}, False),
        ({"severity": []}, False),
        ({"severity": "critical", "hostname": "fin-lt-0231"}, True),
        ({"severity": "critical", "hostname": "other"}, False),
        ({"tags": ["docker"]}, True),
        ({"tags": "PROD"}, True),
        ({"tags": ["windows", "linux"]}, False),
        ({"owner": None}, True),
        ({"owner": "mara"}, False),
        ({"count": 3}, True),
        ({"count": "3"}, True),
        ({"count": True}, False),
        ({"observables.type": "ip"}, True),
        ({"observables.value": ["evil.example"]}, True),
        ({"observables.type": "sha256"}, False),
        ({"raw.process.name": "cmd.exe"}, True),
        ({"process.name": "cmd.exe"}, True),
        ({"process.args": "whoami"}, True),
        ({"kibana.alert.rule.name": "brute force"}, True),
        ({"raw.kibana.alert.rule.name": "brute force"}, True),
        ({"rule.level": [11, 12]}, True),
        ({"rule.mitre.id": "t1110"}, True),
        ({"raw.flag": True}, True),
        ({"raw.flag": "true"}, True),
        ({"raw.flag": 1}, False),
        ({"raw.severity": "low"}, True),
        ({"no_such_key": "x"}, False),
        ({"no_such_key": None}, False),
        ({"process": "cmd.exe"}, False),
        ({"a.b.c": "x"}, False),
        ({"hostname.x": "FIN-LT-0231"}, False),
    ],
)
def test_conditions(conditions: Any, expected: Any) -> None:
    assert matches(check(conditions), ALERT) is expected


@pytest.mark.parametrize("bad", [[], "severity", {1: "x"}, {"": 1}, {"a": {"b": 1}}, {"a": [["x"]]}, {"a": object()}])
def test_conditions_that_make_no_sense_are_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="conditions="):
        check(bad)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(max_size=6), TREES, max_size=5), st.dictionaries(st.text(min_size=1, max_size=9), SCALARS)
)
def test_no_payload_makes_it_raise(fields: Any, conditions: Any) -> None:
    assert matches(check(conditions), {**fields, "raw": fields}) in (True, False)


@given(st.dictionaries(st.text(st.characters(exclude_characters="."), min_size=1, max_size=6), SCALARS, min_size=1))
def test_an_alert_meets_its_own_fields(fields: Any) -> None:
    assert matches(check(fields), fields)


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4))
def test_one_more_condition_never_matches_more(tags: Any) -> None:
    wide, narrow = {"tags": tags}, {"tags": tags, "severity": "none such"}
    assert matches(wide, {"tags": tags, "severity": "low"})
    assert not matches(narrow, {"tags": tags, "severity": "low"})
