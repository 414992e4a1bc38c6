"""Times that Python takes and PostgreSQL does not, in filters and cursors (ingest-and-api.md 10, 14)."""

from __future__ import annotations

import base64
import json

import pytest

from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.factories import make_alert

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/alerts/", "/incidents/"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_outside_of_all_time_is_refused(analyst: User, path: str, time: str) -> None:
    problem_of(Api(analyst).get(path, updated_since=time), 400)
    cursor = base64.urlsafe_b64encode(json.dumps(["updated_at", 0, time, 1]).encode()).decode()
    problem_of(Api(analyst).get(path, ordering="updated_at", cursor=cursor), 400)


def test_a_far_zone_is_understood(analyst: User) -> None:
    make_alert()
    for query in ({"updated_since": "2020-01-01T00:00:00+23:59"}, {"q": "received:>=2020-01-01T00:00:00-23:59"}):
        assert len(Api(analyst).get("/alerts/", **query).json()["results"]) == 1
