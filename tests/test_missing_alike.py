"""What hangs on a hidden incident is missing in the words for what is not there, and who may is asked before what was
typed (access.md 4)."""

from __future__ import annotations

import pytest

from cases.models import Alert, Incident, TimelineEntry
from soar.accounts.models import Team, User
from soar.connectors.models import ConnectorAccount
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of
from tests.ticket_rows import make_conflict, make_failure, make_instance, make_link, make_profile

pytestmark = pytest.mark.django_db
GONE = 987_654_321


@pytest.fixture
def secret(blue: Team) -> Incident:
    """A restricted incident that nobody was let in to."""
    incident = make_incident("Secret", make_alert("Beacon"), team=blue)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    return Incident.objects.get(pk=incident.pk)


@pytest.mark.parametrize("verb", ["", "correct/", "pin/", "unpin/", "let-in/"])
def test_entries_of_a_timeline(admin: User, secret: Incident, verb: str) -> None:
    api, body = Api(admin), {"correct/": {"text": "Better"}, "let-in/": {"user": "mara"}}.get(verb, {})
    entry = TimelineEntry.objects.filter(incident=secret)[0].pk

    def told(pk: int) -> dict[str, object]:
        path = f"/timeline/{pk}/{verb}"
        answer = problem_of(api.post(path, body) if verb else api.get(path), 404)
        return {name: value for name, value in answer.items() if name not in ("request_id", "instance")}

    assert told(entry) == told(GONE)
    assert secret.number not in str(told(entry))
    assert str(secret.pk) not in str(told(entry)["detail"])


def test_changes_and_conflicts_of_tickets(admin: User, secret: Incident) -> None:
    link = make_link(secret, make_profile(make_instance()))
    browser = client_of(admin)
    for path, pk in (
        ("/servicenow/changes/{}/retry/", make_failure(link).pk),
        ("/servicenow/conflicts/{}/decide/", make_conflict(link).pk),
    ):
        htmx = {"HX-Request": "true"}
        there, gone = (browser.post(path.format(one), {"side": "ours"}, headers=htmx) for one in (pk, GONE))
        assert there.status_code == gone.status_code == 404
        assert there.json()["detail"] == gone.json()["detail"]


def test_figures_of_the_sync_leave_restricted_incidents_out(admin: User, secret: Incident) -> None:
    instance = make_instance()
    profile = make_profile(instance)
    browser, api = client_of(admin), Api(admin)
    before = api.get(f"/servicenow/instances/{instance.slug}/")
    make_failure(make_link(secret, profile))
    after = api.get(f"/servicenow/instances/{instance.slug}/")
    assert (after.json(), after["ETag"]) == (before.json(), before["ETag"])
    assert "incident that you do not see" not in browser.get("/servicenow/").content.decode()
    make_failure(make_link(make_incident("Open to all"), profile))
    assert api.get(f"/servicenow/instances/{instance.slug}/")["ETag"] != before["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/settings/models/", "/settings/never-touch/", "/settings/scripts/", "/servicenow/gaps/1/",
        "/servicenow/instances/fjord/pause/", "/incidents/INC-{}/related/", "/incidents/INC-{}/techniques/",
    ],
)  # fmt: skip
def test_who_may_is_asked_first(viewer: User, path: str) -> None:
    make_instance()
    incident = make_incident("Everybody's")
    assert client_of(viewer).post(path.format(incident.pk), {}).status_code == 403


def test_a_token_of_another_scope_hears_so(admin: User, secret: Incident) -> None:
    account = ConnectorAccount.objects.create(kind="webhook", name="Pager")
    api = Api(admin, scopes=("view_audit",))
    for path in (
        f"/incidents/{secret.pk}/watch/", f"/incidents/{secret.pk}/clocks/", f"/connectors/{account.pk}/grants/",
        f"/connectors/{account.pk}/access/", f"/grant-jobs/{GONE}/", f"/dead-letters/jobs/{GONE}/",
        f"/dead-letters/{GONE}/", f"/hand-overs/{GONE}/",
    ):  # fmt: skip
        problem_of(api.get(path), 403)
