"""Reading a source from each product: set up, tested, read and looked at on the page and by the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from cases.actions import pulls
from cases.actors import Actor
from cases.models import Alert, AlertPull
from cases.pulls import reading
from soar.accounts.models import AuditEntry, User
from soar.connectors.models import ConnectorAccount
from soar.standins.registry import STANDINS
from soar.standins.stocked_alerts import StockedElasticsearch, StockedMicrosoftGraph
from tests.acting import Range, practice
from tests.api import Api, problem_of
from tests.factories import make_source

pytestmark = pytest.mark.django_db
KINDS = {"microsoft_graph": "defender", "elasticsearch": "elastic"}


@pytest.fixture(params=["microsoft_graph", "elasticsearch"])
def here(request: pytest.FixtureRequest) -> Iterator[Range]:
    if request.param == "microsoft_graph":
        app = {"tenant": "t.example.com", "client_id": "app"}
        with practice(StockedMicrosoftGraph(), {"client_secret": "secret-1234"}, **app) as found:
            yield found
    else:
        with practice(StockedElasticsearch(), {"token": "secret-1234"}) as found:
            yield found


def slug_of(here: Range) -> str:
    return make_source("Read", kind=KINDS[here.account.kind]).slug


def test_the_page_sets_it_up_tests_it_and_tells_how_far_it_came(client: Client, here: Range, admin: User) -> None:
    client.force_login(admin)
    url = f"/sources/{slug_of(here)}/"
    form = {"account": here.account.name, "every_seconds": "60", "look_back_hours": "24", "enabled": "on"}
    assert client.post(f"{url}pull/", form).status_code == 302
    assert "takes the credentials" in client.post(f"{url}pull/test/", follow=True).text
    reading.pull(AlertPull.objects.get().pk)
    page = client.get(url).text
    subject = ".alerts-security.alerts-default" if here.account.kind == "elasticsearch" else "t.example.com alerts"
    assert subject in page
    assert "secret-1234" not in page
    here.fault("403", times=9)
    assert "refuses" in (told := client.post(f"{url}pull/test/", follow=True).text) or "may not read" in told
    reading.pull(AlertPull.objects.get().pk)
    assert AlertPull.objects.get().last_error.split(" (")[0][:40] in client.get(url).text.replace("&#x27;", "'")
    assert AuditEntry.objects.filter(verb="source.pull_tested").count() == 2


def test_the_stock_of_the_practice_range_is_read_in_full(here: Range) -> None:
    assert type(here.standin) in STANDINS
    slug = slug_of(here)
    row = pulls.set_pull(Actor.system(), slug, account=here.account.name)
    reading.pull(row.pk)
    alerts = Alert.objects.order_by("occurred_at")
    assert len(alerts) == 2
    for alert in alerts:
        assert alert.title and alert.hostname.startswith("pr-") and len(alert.techniques) == 1
        assert alert.observable_links.filter(observable__type="ip").exists()


def test_the_api_tests_it(here: Range, admin: User, analyst: User) -> None:
    slug, api = slug_of(here), Api(admin)
    problem_of(api.post(f"/sources/{slug}/pull/test/", {}), 400)
    api.call("PUT", f"/sources/{slug}/pull/", {"connector": here.account.name})
    assert api.get(f"/sources/{slug}/pull/").json()["subject"]
    answer = api.post(f"/sources/{slug}/pull/test/", {})
    assert answer.status_code == 200 and answer.json()["ok"] is True
    here.fault("html", times=9)
    told = api.post(f"/sources/{slug}/pull/test/", {}).json()
    assert told["ok"] is False and "HTML page" in told["message"]
    problem_of(Api(analyst).post(f"/sources/{slug}/pull/test/", {}), 403)
    problem_of(Api(None).post(f"/sources/{slug}/pull/test/", {}), 401)
    ConnectorAccount.objects.all().delete()
    problem_of(api.post(f"/sources/{slug}/pull/test/", {}), 400)


def test_only_for_those_who_manage_sources(client: Client, here: Range, analyst: User) -> None:
    slug = slug_of(here)
    pulls.set_pull(Actor.system(), slug, account=here.account.name)
    client.force_login(analyst)
    assert client.post(f"/sources/{slug}/pull/test/").status_code == 403
    assert client.get(f"/sources/{slug}/pull/test/").status_code in (403, 405)


def test_without_a_connector_the_page_leads_to_making_one(client: Client, admin: User) -> None:
    client.force_login(admin)
    for connector, kind in KINDS.items():
        assert f"/connectors/new/{connector}/" in client.get(f"/sources/{make_source(kind=kind).slug}/pull/").text
