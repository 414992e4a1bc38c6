"""A legal hold keeps what was put on an incident, and the calls that were made for it, as well."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from cases.actions import asset_links, holds, observables, relations, tasks
from cases.actors import Actor
from cases.models import Incident
from playbooks.tidying import forget_calls
from soar.accounts.models import User
from soar.connectors.models import Attempt, ConnectorAccount
from soar.lib import clock
from tests.api import Api, problem_of
from tests.factories import make_alert, make_asset, make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(admin: User) -> Actor:
    return Actor.of(admin)


@pytest.fixture
def held(me: Actor) -> Incident:
    return make_incident("Kept", make_alert())


def test_nothing_that_was_put_on_it_is_taken_off(me: Actor, held: Incident, admin: User) -> None:
    task = tasks.add(me, held.pk, title="Ask the owner")
    seen = observables.add_to_incident(me, held.pk, "domain", "evil.example.org")
    asset = asset_links.add_to_incident(me, held.pk, make_asset("srv-1", listed=True).name)
    other = make_incident("Other")
    link = relations.relate(me, held.pk, other.pk, "related_to").row
    holds.place(me, held.pk, "Court order")
    api, path = Api(admin), f"/incidents/{held.pk}/"
    doomed = (
        f"/tasks/{task.pk}/",
        f"{path}observables/{seen.pk}/",
        f"{path}assets/{asset.pk}/",
        f"{path}related/{link.pk}/",
        f"/incidents/{other.pk}/related/{link.pk}/",
    )
    for one in doomed:
        assert problem_of(api.delete(one), 409)["code"] == "legal_hold", one
    assert held.tasks.count() == held.observable_links.count() == held.asset_links.count() == 1
    holds.lift(me, held.pk, "Order withdrawn")
    assert [api.delete(one).status_code for one in doomed[:4]] == [204] * 4


def test_its_calls_stay_however_old_they_are(me: Actor, held: Incident) -> None:
    def call(cause: uuid.UUID | None) -> int:
        at = clock.now() - timedelta(days=10_000)
        made = Attempt.objects.create(account=account, operation="x", status="successful", cause=cause, started_at=at)
        return made.pk

    account = ConnectorAccount.objects.create(kind="visionone", name="EU", settings={"url": "https://127.0.0.1:9"})
    free = make_incident("Free", make_alert())
    kept = {call(held.cause), call(held.alerts.get().cause)}
    for cause in (None, free.cause, free.alerts.get().cause, uuid.uuid4()):
        call(cause)
    holds.place(me, held.pk, "Court order")
    assert forget_calls() == 4
    assert set(Attempt.objects.values_list("pk", flat=True)) == kept
    holds.lift(me, held.pk, "Over")
    assert forget_calls() == 2
