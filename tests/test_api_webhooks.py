"""``/api/v1/webhook-endpoints/``: who may what, bad bodies, secrets told once, deliveries and replay."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from cases.models import WebhookDelivery, WebhookEndpoint
from soar.accounts.actions import roles
from soar.accounts.models import User
from tests.api import Api, problem_of, wrong_fields
from tests.connector_server import Product
from tests.factories import make_alert, make_user
from tests.webhook_tools import endpoint_to, receiver, run, signed, status

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db
BASE = "/webhook-endpoints/"


def new(**fields: Any) -> dict[str, Any]:
    return {"name": "Lake", "url": "https://lake.example/hook?key=s3cr3t", "kinds": ["all"], **fields}


def test_who_may_what(admin: User, analyst: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    make_alert()
    run()
    one, log = f"{BASE}{endpoint.pk}/", f"{BASE}{endpoint.pk}/deliveries/"
    first = f"{log}{WebhookDelivery.objects.get().pk}/"
    for api, code in ((Api(analyst), 403), (Api(admin, scopes=("view_cases",)), 403), (Api(None), 401)):
        for path in (BASE, one, log, first):
            problem_of(api.get(path), code)
        problem_of(api.post(BASE, new()), code)
        problem_of(api.patch(one, {"name": "x"}), code)
        problem_of(api.delete(one), code)
        for verb in ("rotate", "test", "replay"):
            problem_of(api.post(f"{one}{verb}/", {}), code)
        problem_of(api.post(f"{first}replay/", {}), code)
    assert WebhookEndpoint.objects.get().version == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": 5}, "url"),
        ({"kinds": []}, "kinds"),
        ({"kinds": "all"}, "kinds"),
        ({"kinds": ["alert.exploded"]}, "kinds"),
        ({"source": "no-such"}, "source"),
        ({"team": "no such"}, "team"),
        ({"least_severity": "awful"}, "least_severity"),
        ({"cleared": "purple"}, "cleared"),
        ({"enabled": "yes"}, "enabled"),
        ({"secret": "mine"}, "secret"),
        ({"name": None}, "name"),
    ],
)
def test_bad_bodies(admin: User, change: dict[str, Any], field: str) -> None:
    answer = Api(admin).post(BASE, new(**change))
    found = wrong_fields(answer)
    assert any(name.startswith(field) for name in found)
    assert WebhookEndpoint.objects.count() == 0


def test_its_life(admin: User, receiver: Product) -> None:
    api = Api(admin)
    made = api.post(BASE, new(url=f"{receiver.url}/hook", allow_internal=True))
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    one = f"{BASE}{made.json()['id']}/"
    shown = api.get(one)
    assert "secret" not in shown.json() and shown.json()["place"] == receiver.url and "/hook" not in str(shown.json())
    assert api.get(BASE).json()["results"][0]["owner"] == "admin"
    tag = {"If-Match": shown["ETag"]}
    assert api.patch(one, {"cleared": "red"}, headers=tag).json()["cleared"] == "red"
    problem_of(api.patch(one, {"name": "x"}, headers=tag), 412)
    rotated = api.post(f"{one}rotate/", {"overlap_hours": 1}).json()
    assert rotated["secret"] != made.json()["secret"] and rotated["old_secret_until"]
    assert wrong_fields(api.post(f"{one}rotate/", {"overlap_hours": -1})) == {"overlap_hours"}
    api.post(f"{one}test/", {})
    run()
    [row] = api.get(f"{one}deliveries/", state="delivered").json()["results"]
    assert (row["kind"], row["number"], row["entry"]) == ("webhook.test", None, None)
    assert signed(receiver.seen[0], rotated["secret"]) and signed(receiver.seen[0], made.json()["secret"])
    assert wrong_fields(api.get(f"{one}deliveries/", state="odd")) == {"state"}
    assert api.delete(one).status_code == 204
    problem_of(api.get(one), 404)


def test_deliveries_and_replay(admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    api, log = Api(admin), f"{BASE}{endpoint.pk}/deliveries/"
    receiver.replies = [status(500)]
    alert = make_alert("Beacon")
    run()
    [row] = api.get(log).json()["results"]
    problem_of(api.post(f"{log}{row['id']}/replay/", {}), 409)
    WebhookDelivery.objects.update(state="failed", finished_at=timezone.now())
    receiver.replies = [status(200)]
    assert api.post(f"{BASE}{endpoint.pk}/replay/", {"since": "2999-01-01T00:00:00Z"}).json() == {"replayed": 0}
    assert api.post(f"{BASE}{endpoint.pk}/replay/", {}).json() == {"replayed": 1}
    run()
    one = api.get(f"{log}{row['id']}/").json()
    assert one["state"] == "delivered" and one["number"] == alert.number and one["webhook_id"] == row["webhook_id"]
    assert [call["status"] for call in one["calls"]] == [200, 500] and '"Beacon"' in one["body"]
    assert api.post(f"{log}{row['id']}/replay/", {}).json()["state"] == "waiting"
    run()
    api.patch(f"{BASE}{endpoint.pk}/", {"enabled": False})
    problem_of(api.post(f"{BASE}{endpoint.pk}/test/", {}), 409)
    problem_of(api.post(f"{BASE}{endpoint.pk}/replay/", {}), 409)


def test_a_token_makes_no_endpoint_that_is_sent_more_than_it_sees(admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    for scopes in (("manage_connectors",), ("manage_connectors", "view_cases")):  # an admin sees all teams
        api = Api(admin, scopes=scopes)
        problem_of(api.post(BASE, new()), 403)
        problem_of(api.patch(f"{BASE}{endpoint.pk}/", {"name": "Mine"}), 403)
    assert WebhookEndpoint.objects.get().name == "Data lake"
    whole = Api(admin, scopes=("manage_connectors", "view_cases", "view_all_teams"))
    assert whole.post(BASE, new()).status_code == 201


def test_switching_off_takes_the_right_to_manage_and_no_more(admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    make_alert()
    one = f"{BASE}{endpoint.pk}/"
    roles.create(admin, "Plumber", permissions=["manage_connectors"])
    narrow, plumber = Api(admin, scopes=("manage_connectors",)), Api(make_user("pia", "Plumber"))
    problem_of(Api(admin, scopes=("view_cases",)).patch(one, {"enabled": False}), 403)
    problem_of(narrow.patch(one, {"enabled": False, "url": "https://other.example/"}), 403)
    problem_of(narrow.patch(one, {"enabled": False}, {"If-Match": '"99"'}), 412)
    assert WebhookEndpoint.objects.get().enabled
    off = plumber.patch(one, {"enabled": False})
    assert (off.status_code, off.json()["enabled"], off.json()["owner"]) == (200, False, "admin")
    assert narrow.patch(one, {"enabled": False}).json()["version"] == off.json()["version"]  # twice changes nothing
    for api in (narrow, plumber):
        problem_of(api.patch(one, {"enabled": True}), 403)
    make_alert("Another")
    run()
    assert not receiver.seen
    assert Api(admin).patch(one, {"enabled": True}).json()["enabled"]


def test_who_sees_no_cases_has_nothing_sent(admin: User) -> None:
    roles.create(admin, "Plumber", permissions=["manage_connectors"])
    problem_of(Api(make_user("pia", "Plumber")).post(BASE, new()), 403)
