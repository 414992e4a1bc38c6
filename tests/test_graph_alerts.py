"""Reading alerts and incidents from Microsoft Graph: none skipped, none twice, whatever moves while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cases.actions import pulls
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.models import Alert, AlertPull, DeadLetter, TimelineEntry
from cases.pulls import reading, taking
from soar.connectors import actions
from soar.connectors.errors import Refused
from soar.connectors.microsoft_graph.connector import MicrosoftGraph
from soar.connectors.models import AccessToken, Attempt, ConnectorAccount
from soar.lib import clock
from soar.standins.microsoft_graph import MicrosoftGraph as Standin
from tests.acting import Range, practice
from tests.factories import make_source
from tests.pulling import moment, now, read, reader, refs

pytestmark = pytest.mark.django_db
SECRET = "graph-secret-1234"
APP = {"tenant": "tenant.example.com", "client_id": "app-1"}


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Standin(), {"client_secret": SECRET}, **APP) as found:
        yield found


@pytest.fixture
def row(here: Range) -> AlertPull:
    return set_up(here)


def set_up(here: Range) -> AlertPull:
    return pulls.set_pull(Actor.system(), make_source("Defender", kind="defender").slug, account=here.account.name)


def put(here: Range, name: str, minutes: float, *, what: str = "alerts", **more: Any) -> dict[str, Any]:
    """An alert at the product, changed so many minutes ago."""
    alert = {
        "id": name, "title": f"Alert {name}", "severity": "high", "status": "new",
        "createdDateTime": moment(minutes), "lastUpdateDateTime": moment(minutes), **more,
    }  # fmt: skip
    here.state[what][name] = alert
    return alert


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", "Lifetime validation failed"), ("403", "SecurityAlert.Read.All"), ("429", "too many requests"),
        ("html", "an HTML page"), ("garbage", "no whole answer"), ("500", "answered 500"),
        ("before", "no whole answer"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_kept_and_tried_again(here: Range, row: AlertPull, fault: str, words: str) -> None:
    put(here, "da1", 5)
    reader(here).check()  # the token is there
    here.fault(fault, times=9)
    read(row)
    assert words in row.last_error and SECRET not in row.last_error
    assert (row.failures, row.read_until, row.last_ok_at) == (1, None, None)
    assert row.due_at > now()
    here.standin._faults.clear()
    assert (read(row).last_error, refs()) == ("", ["da1"])


def test_a_wrong_secret_is_said_in_their_words(row: AlertPull, here: Range) -> None:
    here.state["secret"] = "another"
    assert "AADSTS7000215: Invalid client secret provided" in read(row).last_error
    assert "Trace ID" not in row.last_error and SECRET not in row.last_error
    assert not reader(here).test().ok
    here.state["secret"] = SECRET
    assert reader(here).test().message == "Microsoft Graph takes the credentials and shows the alerts."


def test_secrets_and_tokens_are_in_no_record(row: AlertPull, here: Range) -> None:
    put(here, "da1", 5)
    read(row)
    told = str(list(Attempt.objects.values_list("request", "response")))
    assert "client_credentials" in told
    assert SECRET not in told and "practice-access" not in told
    assert "practice-access" not in repr(AccessToken.objects.values_list("token").query)


def test_pages_are_read_to_the_end_and_nothing_comes_twice(row: AlertPull, here: Range) -> None:
    here.state["page"] = 7
    for number in range(40):
        put(here, f"da{number:02d}", 60 - number)
    for _ in range(3):
        read(row)
    assert refs() == [f"da{number:02d}" for number in range(40)]
    row.source.refresh_from_db()
    assert (row.source.accepted, row.source.repeats, row.last_error) == (40, 0, "")


def test_a_full_page_without_a_link_is_not_the_end(row: AlertPull, here: Range) -> None:
    here.state["links"] = False
    for number in range(250):
        put(here, f"da{number:03d}", 60)
    read(row)
    assert len(refs()) == 250


def test_a_link_to_another_host_is_not_followed(row: AlertPull, here: Range) -> None:
    here.standin.state |= {"page": 1, "elsewhere": "https://graph.evil.example"}
    put(here, "da1", 5)
    put(here, "da2", 5)
    assert "graph.evil.example" in read(row).last_error
    assert row.read_until is None


def test_a_link_that_leads_in_circles_ends(row: AlertPull, here: Range) -> None:
    here.state["page"] = 1
    for number in range(3):
        put(here, f"da{number}", 5)
    original = here.standin.answer

    def answer(request: Any) -> Any:
        request.query.pop("$skip", None)  # always the first page
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    assert "in circles" in read(row).last_error
    assert row.read_until is None


def test_a_token_that_ends_between_two_pages_is_renewed(row: AlertPull, here: Range) -> None:
    here.standin.state |= {"page": 2, "uses": 3}
    for number in range(10):
        put(here, f"da{number}", 30 - number)
    read(row)
    assert (len(refs()), row.last_error) == (10, "")
    assert here.state["grants"] > 1


def test_a_token_is_kept_for_the_next_reading(row: AlertPull, here: Range) -> None:
    for _ in range(3):
        read(row)
    assert here.state["grants"] == 1
    actions.update_account(None, here.account.pk, settings={"client_id": "app-2"})
    row.account.refresh_from_db()  # type: ignore[union-attr]
    read(row)
    assert here.state["grants"] == 2  # it was given to somebody else


def test_a_failure_in_the_middle_skips_nothing(row: AlertPull, here: Range) -> None:
    here.state["page"] = 5
    for number in range(12):
        put(here, f"da{number:02d}", 30 - number)
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == 3:  # after the token and the first page
            here.fault("429", times=9)
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    read(row)
    assert "too many requests" in row.last_error and row.read_until is None
    assert row.due_at > now() + timedelta(seconds=100)  # as its Retry-After asks
    assert len(refs()) == 10
    here.standin._faults.clear()
    read(row)
    assert len(refs()) == 12


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_moves_while_it_is_read_is_not_left_out(row: AlertPull, here: Range, newest_first: bool) -> None:
    here.standin.state |= {"page": 3, "newest_first": newest_first}
    for number in range(12):
        put(here, f"da{number:02d}", 60 - number)
    here.state["stir"] = ["da00", "da01", "da02", "da05"]
    read(row)
    assert (len(refs()), row.last_error) == (12, "")


def test_a_list_that_never_stands_still_moves_nothing_on(row: AlertPull, here: Range) -> None:
    here.state["page"] = 2
    for number in range(6):
        put(here, f"da{number}", 60 - number)
    here.state["stir"] = [f"da{number % 6}" for number in range(500)]
    assert "faster than it can be read" in read(row).last_error
    assert row.read_until is None


def test_equal_times_over_the_border_of_two_pages(row: AlertPull, here: Range) -> None:
    here.state["page"] = 4
    same = moment(10)
    for number in range(10):
        put(here, f"da{number}", 10, lastUpdateDateTime=same)
    read(row)
    read(row)
    assert len(refs()) == 10


def test_seven_digits_of_a_second_are_a_time(row: AlertPull, here: Range) -> None:
    put(here, "da1", 5, lastUpdateDateTime=moment(5)[:-1] + "7Z")
    read(row)
    put(here, "da1", 5, lastUpdateDateTime=moment(2)[:-1] + "3Z", status="inProgress")
    read(row)
    assert Alert.objects.get().source_state == "inProgress"
    put(here, "da1", 5, lastUpdateDateTime=moment(3)[:-1] + "3Z", status="new")  # older than what is known
    read(row)
    assert Alert.objects.get().source_state == "inProgress"


def test_a_change_there_is_noted_and_counts_no_repeat(row: AlertPull, here: Range) -> None:
    put(here, "da1", 30)
    read(row)
    put(here, "da1", 1, status="resolved", classification="truePositive")
    read(row)
    read(row)
    alert = Alert.objects.get()
    assert (alert.count, alert.source_state, alert.status) == (1, "resolved", AlertStatus.NEW)
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.source_state").count() == 1


def test_a_long_silence_is_caught_up_day_by_day(row: AlertPull, here: Range) -> None:
    row.read_until = now() - timedelta(days=4)
    row.save()
    for day in range(4):
        put(here, f"da{day}", 60 * 24 * day + 60)
    read(row)
    assert len(refs()) == 4
    asked = here.state["asked"]
    assert all(" le " in one for one in asked[:-1]) and " le " not in asked[-1]


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_is_wrong_here_leaves_nothing_out(row: AlertPull, here: Range, hours: int) -> None:
    put(here, "da1", 1)
    with clock.at(now() + timedelta(hours=hours)):
        read(row)
        assert refs() == ["da1"]
    put(here, "da2", 0.01)
    with clock.at(now() + timedelta(hours=hours, seconds=30)):
        AlertPull.objects.update(leased_until=None, lease=None)
        read(row)
    assert refs() == ["da1", "da2"]


def test_an_incident_comes_with_its_alerts_as_one(here: Range) -> None:
    actions.update_account(None, here.account.pk, settings={"what": "incidents"})
    row = set_up(here)
    inside = put(here, "da9", 9, what="incidents", mitreTechniques=["T1566"])
    del here.state["incidents"]["da9"]
    put(here, "2972395", 8, what="incidents", alerts=[inside])
    put(here, "da1", 5)
    read(row)
    alert = Alert.objects.get()
    assert (alert.source_ref, alert.title, alert.techniques) == ("2972395", "Alert 2972395", ["T1566"])
    inside |= {"mitreTechniques": ["T1566", "T1059"], "lastUpdateDateTime": moment(1)}
    read(row)  # the alert in it has changed, the incident's own time has not
    assert Alert.objects.get().count == 1
    assert "incidents" in reader(here).test().message


def test_reading_something_else_begins_anew(row: AlertPull, here: Range) -> None:
    read(row)
    put(here, "7", 60 * 5, what="incidents")
    actions.update_account(None, here.account.pk, settings={"what": "incidents"})
    read(row)
    assert refs() == ["7"]


def test_killed_between_two_alerts_of_a_page(row: AlertPull, here: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        put(here, f"da{number}", 30 - number)
    whole, done = taking.take, list[int]()

    def take(*args: Any) -> Any:
        if len(done) == 3:
            raise KeyboardInterrupt  # as near to a kill as a test in one process comes
        done.append(1)
        return whole(*args)

    monkeypatch.setattr(reading, "take", take)
    with pytest.raises(KeyboardInterrupt):
        reading.pull(row.pk)
    monkeypatch.undo()
    row.refresh_from_db()
    assert (len(refs()), row.read_until) == (3, None)
    read(row)
    assert len(refs()) == 6


def test_what_is_no_alert_holds_nothing_up(row: AlertPull, here: Range) -> None:
    here.state["alerts"]["x"] = {"title": "no id", "lastUpdateDateTime": moment(4)}
    put(here, "da1", 5, **{f"field {number}": "x" * 50 for number in range(25_000)})
    put(here, "da2", 3)
    read(row)
    read(row)
    assert refs() == ["da2"]
    letter = DeadLetter.objects.get()
    assert "1 MiB" in letter.error and b'"da1"' in bytes(letter.body) and letter.whole
    row.source.refresh_from_db()
    assert (row.source.accepted, row.source.refused) == (1, 1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tenant": "a/b"}, "tenant"), ({"tenant": ""}, "tenant"), ({"client_id": ""}, "client_id"),
        ({"url": "http://graph.example.com"}, "url"), ({"url": "https://graph.microsoft.com/v1.0"}, "url"),
        ({"what": "mail"}, "what"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_beside_their_field(given: dict[str, str], field: str, db: None) -> None:
    wanted = {"url": "https://graph.microsoft.com", **APP, **given}
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "microsoft_graph", "Graph", wanted, {"client_secret": SECRET})
    assert set(caught.value.errors) == {field}


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://graph.microsoft.com", "login.microsoftonline.com"),
        ("https://graph.microsoft.us", "login.microsoftonline.us"),
        ("https://microsoftgraph.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
        ("https://gateway.example.com", "gateway.example.com"),
    ],
)
def test_each_cloud_has_its_own_sign_in(url: str, place: str) -> None:
    from soar.connectors.microsoft.signing_in import place as found

    assert found(url) == f"https://{place}"


def test_an_address_inside_is_not_reached_unless_allowed(here: Range, row: AlertPull) -> None:
    ConnectorAccount.objects.update(allow_internal=False)
    row.refresh_from_db()
    assert "is not reached" in read(row).last_error
    assert isinstance(reader(here), MicrosoftGraph)
