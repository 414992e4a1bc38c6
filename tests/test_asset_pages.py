"""Pages of assets: list, page, form, removal and import, for those who may and for those who may not."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases.actions import assets, links
from cases.actors import Actor
from cases.choices import AlertStatus, Criticality, Determination
from cases.models import Alert, AlertAsset, Asset
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_asset, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def name(asset: Asset, *alerts: Alert) -> Asset:
    """Let the alerts name the asset."""
    for alert in alerts:
        AlertAsset.objects.create(alert=alert, asset=asset)
    return asset


def names(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/assets/{query}")
    assert answer.status_code == 200
    return [row["name"] for row in answer.context["rows"]]


def upload(client: Client, text: str | bytes, title: str = "assets.csv") -> object:
    body = text if isinstance(text, bytes) else text.encode()
    return client.post("/assets/import/", {"file": SimpleUploadedFile(title, body, "text/csv")})


@pytest.fixture
def estate(blue: Team, red: Team) -> None:
    """Three in the inventory, one that only team Blue's alert names, one that only team Red's does."""
    ours, theirs = make_source(team=blue), make_source(team=red)
    laptop = make_asset("FIN-LT-0114", type="laptop", system="Windows 11", addresses=["10.20.4.14"], groups=["Finance"],
                        criticality=Criticality.HIGH, tags=["vip"])  # fmt: skip
    make_asset("DC-OSL-01", type="server", system="Windows Server 2022", addresses=["10.30.8.1", "fe80::1"],
               criticality=Criticality.CRITICAL, groups=["Tier 0", "Finance"])  # fmt: skip
    make_asset("web-01", type="server", system="Ubuntu 24.04", addresses=["192.0.2.9"])
    name(laptop, make_alert("Ours", source=ours), make_alert("Theirs", source=theirs))
    name(make_asset("blue-only", listed=False), make_alert("Blue one", source=ours))
    name(make_asset("red-only", listed=False), make_alert("Red one", source=theirs))


@pytest.mark.usefixtures("estate")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["blue-only", "DC-OSL-01", "FIN-LT-0114", "web-01"]),
        ("?sort=criticality", ["DC-OSL-01", "FIN-LT-0114", "blue-only", "web-01"]),
        ("?sort=new", ["blue-only", "web-01", "DC-OSL-01", "FIN-LT-0114"]),
        ("?q=fin-lt", ["FIN-LT-0114"]),
        ("?q=LT-01", ["FIN-LT-0114"]),
        ("?q=10.30.8.1", ["DC-OSL-01"]),
        ("?q=10[.]30[.]8[.]1", ["DC-OSL-01"]),
        ("?q=FE80::1", ["DC-OSL-01"]),
        ("?q=address:10.0.0.0/8", ["DC-OSL-01", "FIN-LT-0114"]),
        ("?q=system:windows", ["DC-OSL-01", "FIN-LT-0114"]),
        ("?q=-system:windows+type:server", ["web-01"]),
        ("?q=criticality:>=high", ["DC-OSL-01", "FIN-LT-0114"]),
        ("?criticality=critical,high", ["DC-OSL-01", "FIN-LT-0114"]),
        ("?group=FINANCE", ["DC-OSL-01", "FIN-LT-0114"]),
        ("?group=tier+0", ["DC-OSL-01"]),
        ("?group=nosuch", []),
        ("?tag=VIP", ["FIN-LT-0114"]),
        ("?name=web-01", ["web-01"]),
        ("?inventory=no", ["blue-only"]),
        ("?q=red", []),
        ("?q=%25", []),
        ("?q=%00", ["blue-only", "DC-OSL-01", "FIN-LT-0114", "web-01"]),
    ],
)
def test_the_list_shows_what_the_person_may_see(as_analyst: Client, query: str, found: list[str]) -> None:
    assert names(as_analyst, query) == found


@pytest.mark.usefixtures("estate")
@pytest.mark.parametrize("query", ["?criticality=huge", "?q=address:10.0.0.0/99", "?inventory=maybe"])
def test_a_filter_that_makes_no_sense_says_so(as_analyst: Client, query: str) -> None:
    answer = as_analyst.get(f"/assets/{query}")
    assert answer.status_code == 200
    assert answer.context["filter"].errors
    typing = {**HTMX, "HX-Typing": "true"}
    assert as_analyst.get(f"/assets/{query}", headers=typing).status_code == 204


@pytest.mark.usefixtures("estate")
def test_figures_count_only_what_the_person_may_see(as_analyst: Client, as_stranger: Client, as_admin: Client) -> None:
    def figure(client: Client) -> str:
        rows = {row["name"]: str(row["open"]) for row in client.get("/assets/").context["rows"]}
        return rows["FIN-LT-0114"]

    assert [figure(client) for client in (as_analyst, as_stranger, as_admin)] == ["1", "1", "2"]
    Alert.objects.filter(title="Ours").update(status=AlertStatus.RESOLVED, determination=Determination.BENIGN)
    assert [figure(client) for client in (as_analyst, as_stranger, as_admin)] == ["0", "1", "1"]


def test_pages_of_the_list(as_analyst: Client) -> None:
    for n in range(120):
        make_asset(f"ws-{n:03}")
    seen, url = [], "/assets/"
    for _page in range(3):
        answer = as_analyst.get(url)
        seen += [row["name"] for row in answer.context["rows"]]
        url = answer.context["older_url"]
    assert seen == [f"ws-{n:03}" for n in range(120)]
    assert url == ""
    back = as_analyst.get(answer.context["newer_url"])
    assert [row["name"] for row in back.context["rows"]] == [f"ws-{n:03}" for n in range(50, 100)]
    for cursor in ("x", "WyJuYW1lIiwwLDdd", "WyJuYW1lIiwwLCJcdTAwMDAiXQ"):
        assert names(as_analyst, f"?cursor={cursor}")[0] == "ws-000"


@pytest.mark.usefixtures("estate")
def test_the_rows_alone_for_htmx(as_analyst: Client) -> None:
    text = as_analyst.get("/assets/?q=web", headers=HTMX).content.decode()
    assert "web-01" in text
    assert "<html" not in text
    assert "1 asset" in text


@pytest.mark.usefixtures("estate")
def test_the_page_of_one(as_analyst: Client, analyst: User, blue: Team) -> None:
    one = Asset.objects.get(key="fin-lt-0114")
    assets.update(Actor.of(analyst), one.pk, changes={"system": "Windows <12>"})
    incident = make_incident("Case", Alert.objects.get(title="Ours"), team=blue)
    text = as_analyst.get(f"/assets/{one.pk}/").content.decode()
    for words in ("FIN-LT-0114", "Ours", incident.number, "10.20.4.14", "Finance", "vip", "High", "Windows &lt;12&gt;",
                  "Mara Lindqvist", "Windows 11"):  # fmt: skip
        assert words in text
    assert "Theirs" not in text
    assert as_analyst.get(f"/assets/{one.pk}/").context["alert_count"] == (1, False)


@pytest.mark.usefixtures("estate")
def test_what_is_hidden_is_not_there(as_analyst: Client, as_stranger: Client, nobody: User) -> None:
    red = Asset.objects.get(key="red-only")
    for path in ("", "edit/"):
        assert as_analyst.get(f"/assets/{red.pk}/{path}").status_code == 404
        assert as_stranger.get(f"/assets/{red.pk}/{path}").status_code == 200
    assert as_analyst.get("/assets/999999/").status_code == 404
    client = Client()
    client.force_login(nobody, backend="soar.accounts.backend.Backend")
    assert client.get("/assets/").status_code == 403


def test_a_restricted_incident_hides_its_assets(as_analyst: Client, admin: User, as_admin: Client, blue: Team) -> None:
    alert = make_alert("Quiet", source=make_source(team=blue))
    one = name(make_asset("quiet-1", listed=False), alert)
    incident = make_incident("Quiet case", alert, owners=[admin])
    incident.restricted = True
    incident.save(update_fields=["restricted"])
    links.link(Actor.system(), [alert.pk], incident.pk)
    Alert.objects.filter(pk=alert.pk).update(restricted=True)
    assert as_analyst.get(f"/assets/{one.pk}/").status_code == 404
    assert names(as_analyst, "?q=quiet") == []
    assert names(as_admin, "?q=quiet") == []


def test_new(as_analyst: Client, as_viewer: Client) -> None:
    fields = {"name": "WS-1", "type": "", "system": "Debian 12", "addresses": "10.0.0.1, 10.0.0.2\n10.0.0.3",
              "criticality": "high", "groups": "Till, Store", "tags": "a,b"}  # fmt: skip
    answer = as_analyst.post("/assets/new/", fields)
    one = Asset.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/assets/{one.pk}/")
    assert (one.addresses, one.groups, one.tags) == (
        ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        ["Till", "Store"],
        ["a", "b"],
    )
    again = as_analyst.post("/assets/new/", {**fields, "name": "ws-1"})
    assert again.status_code == 422
    assert "There is an asset WS-1 already." in again.content.decode()
    assert 'value="Debian 12"' in again.content.decode()
    wrong = as_analyst.post("/assets/new/", {**fields, "name": "ws-2", "addresses": "10.0.0.999"})
    assert "10.0.0.999 is no IPv4 or IPv6 address." in wrong.content.decode()
    assert as_viewer.get("/assets/new/").status_code == 403
    assert as_viewer.post("/assets/new/", fields).status_code == 403
    assert as_analyst.put("/assets/new/").status_code == 405
    assert Asset.objects.count() == 1


def test_edit(as_analyst: Client, analyst: User, as_viewer: Client) -> None:
    one = make_asset("ws-1", system="Linux")
    fields = {"type": "", "system": "Debian 12", "addresses": "", "criticality": "low", "groups": "", "tags": ""}
    assert as_viewer.post(f"/assets/{one.pk}/edit/", fields).status_code == 403
    assets.update(Actor.of(analyst), one.pk, changes={"system": "Ubuntu"})
    stale = as_analyst.post(f"/assets/{one.pk}/edit/", {**fields, "version": "1"})
    text = stale.content.decode()
    assert stale.status_code == 422
    assert "was changed in the meantime" in text
    assert "“Debian 12”" in text
    assert "“Ubuntu”" in text
    assert Asset.objects.get().system == "Ubuntu"
    done = as_analyst.post(f"/assets/{one.pk}/edit/", {**fields, "version": stale.context["version"]})
    assert done.status_code == 302
    one.refresh_from_db()
    assert (one.system, one.criticality) == ("Debian 12", Criticality.LOW)


def test_remove(as_admin: Client, as_analyst: Client) -> None:
    one = make_asset("ws-1", tags=["vip"])
    assert as_analyst.post(f"/assets/{one.pk}/remove/").status_code == 403
    assert as_admin.get(f"/assets/{one.pk}/remove/").status_code == 405
    as_admin.post(f"/assets/{one.pk}/remove/", {"version": "7"})
    assert Asset.objects.exists()
    answer = as_admin.post(f"/assets/{one.pk}/remove/", {"version": "1"}, follow=True)
    assert "ws-1 is no longer in the inventory." in answer.content.decode()
    assert not Asset.objects.exists()


def test_import_looks_first_and_then_does_it(as_admin: Client) -> None:
    make_asset("ws-1", system="Windows 10")
    preview = upload(as_admin, "name;os;group;tags\nws-1;Windows 11;Till;a\nws-2;Linux;Till;\n")
    text = preview.content.decode()  # type: ignore[attr-defined]
    for words in ("assets.csv", "Windows 10", "Windows 11", "ws-2", "Nothing is saved yet"):
        assert words in text
    assert Asset.objects.get().system == "Windows 10"
    kept = preview.context["kept"]  # type: ignore[attr-defined]
    done = as_admin.post(f"/assets/import/{kept.pk}/", follow=True)
    assert "Imported: 1 new, 1 changed, 0 as they were." in done.content.decode()
    assert sorted(Asset.objects.values_list("name", "system")) == [("ws-1", "Windows 11"), ("ws-2", "Linux")]
    assert as_admin.post(f"/assets/import/{kept.pk}/").status_code == 404


def test_import_when_somebody_changed_it_meanwhile_looks_again(as_admin: Client, admin: User) -> None:
    one = make_asset("ws-1", system="Windows 10")
    kept = upload(as_admin, "name,os\nws-1,Windows 11\n").context["kept"]  # type: ignore[attr-defined]
    assets.update(Actor.of(admin), one.pk, changes={"system": "Windows 7"})
    again = as_admin.post(f"/assets/import/{kept.pk}/")
    assert again.status_code == 409
    assert "changed since the preview" in again.content.decode()
    assert "Windows 7" in again.content.decode()
    assert as_admin.post(f"/assets/import/{again.context['kept'].pk}/").status_code == 302
    assert Asset.objects.get().system == "Windows 11"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("owner\nme\n", "one of them “name”"),
        ("name\nKöln\n".encode("latin-1"), "Line 2 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00", "not UTF-8"),
        ("name,tags\nws-1,=1+1\n", "takes for a formula"),
        ("name,ip\nws-1,<script>alert(1)</script>\n", "&lt;script&gt;"),
        (b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MiB"),
    ],
)
def test_import_of_bad_files(as_admin: Client, text: str | bytes, words: str) -> None:
    answer = upload(as_admin, text)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert words in answer.content.decode()  # type: ignore[attr-defined]
    assert "Import them" not in answer.content.decode()  # type: ignore[attr-defined]
    assert not Asset.objects.exists()


def test_import_without_a_file_and_without_the_right(as_admin: Client, as_analyst: Client) -> None:
    assert as_admin.post("/assets/import/").status_code == 422
    assert as_analyst.get("/assets/import/").status_code == 403
    assert upload(as_analyst, "name\nws-1\n").status_code == 403  # type: ignore[attr-defined]
    assert "/assets/import/" not in as_analyst.get("/assets/").content.decode()
    assert not Asset.objects.exists()


def test_the_list_asks_few_questions(as_analyst: Client) -> None:
    for n in range(60):
        name(make_asset(f"ws-{n}", groups=["G"], tags=["t"]), make_alert())
    with CaptureQueriesContext(connection) as found:
        as_analyst.get("/assets/")
    assert len(found) < 12, "\n".join(one["sql"][:200] for one in found.captured_queries)
    with CaptureQueriesContext(connection) as found:
        as_analyst.get(f"/assets/{Asset.objects.first().pk}/")  # type: ignore[union-attr]
    assert len(found) < 16, "\n".join(one["sql"][:200] for one in found.captured_queries)


def test_an_alert_shows_what_is_known_of_its_assets(as_analyst: Client, blue: Team) -> None:
    asset = {"name": "fin-lt-0114", "type": "", "system": "Windows 11", "addresses": ["10.20.4.14"]}
    alert = make_alert("Beacon", source=make_source(team=blue), hostname="fin-lt-0114", entities=[asset])
    one = name(make_asset("FIN-LT-0114", groups=["Finance laptops"], criticality=Criticality.HIGH, tags=["vip"]), alert)
    text = as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    for words in (f'href="/assets/{one.pk}/"', "Finance laptops", '<span class="pill t-orange">High</span>', "vip"):
        assert words in text


def test_an_alert_whose_host_is_no_entity_shows_its_asset(as_analyst: Client) -> None:
    alert = make_alert("Beacon", hostname="WS-7")
    one = name(make_asset("ws-7"), alert)
    assert f'href="/assets/{one.pk}/"' in as_analyst.get(f"/alerts/{alert.number}/").content.decode()


class TestIncident:
    """Assets of an incident: those of its alerts, and those put on it."""

    def test_shows_both(self, as_analyst: Client, blue: Team) -> None:
        alert = make_alert("Beacon", source=make_source(team=blue))
        name(make_asset("by-alert", criticality=Criticality.HIGH, listed=False), alert)
        make_asset("By-Hand")
        incident = make_incident("Case", alert, team=blue)
        answer = as_analyst.post(f"/incidents/{incident.number}/assets/add/", {"name": "by-hand"}, headers=HTMX)
        assert "By-Hand added" in answer.content.decode()
        box = as_analyst.get(f"/incidents/{incident.number}/panel/assets/?fold=1", headers=HTMX)
        assert [(one["name"], one["own"]) for one in box.context["assets"]] == [("by-alert", False), ("By-Hand", True)]
        assert "added the asset By-Hand" in as_analyst.get(f"/incidents/{incident.number}/").content.decode()
        assert names(as_analyst, f"?incident={incident.number}") == ["by-alert", "By-Hand"]

    def test_takes_off_only_what_was_put_on(self, as_analyst: Client, blue: Team) -> None:
        alert = make_alert("Beacon", source=make_source(team=blue))
        one, own = name(make_asset("by-alert"), alert), make_asset("by-hand")
        incident = make_incident("Case", alert, team=blue)
        url = f"/incidents/{incident.number}/assets"
        as_analyst.post(f"{url}/add/", {"name": "by-hand"})
        as_analyst.post(f"{url}/add/", {"name": "BY-HAND"})
        assert incident.asset_links.count() == 1
        assert as_analyst.post(f"{url}/remove/", {"asset": one.pk}).status_code == 404
        assert as_analyst.post(f"{url}/remove/", {"asset": own.pk}).status_code == 302
        assert incident.asset_links.count() == 0
        assert "removed the asset by-hand" in as_analyst.get(f"/incidents/{incident.number}/").content.decode()

    def test_does_not_tell_what_is_hidden(
        self, as_analyst: Client, as_viewer: Client, as_stranger: Client, red: Team, blue: Team
    ) -> None:
        name(make_asset("red-only", listed=False), make_alert("Red one", source=make_source(team=red)))
        incident = make_incident("Case", team=blue)
        url = f"/incidents/{incident.number}/assets/add/"
        for given in ("red-only", "not-there"):
            answer = as_analyst.post(url, {"name": given}, headers=HTMX)
            assert f"There is no asset {given}. Enter it first." in answer.content.decode()
        make_asset("there")
        assert as_viewer.post(url, {"name": "there"}).status_code == 403
        assert as_stranger.post(url, {"name": "there"}).status_code == 404
        assert names(as_stranger, "?q=there") == ["there"]
        assert as_stranger.get(f"/assets/?incident={incident.number}").status_code == 404
        assert incident.asset_links.count() == 0

    def test_an_unlisted_one_is_seen_through_it(self, as_analyst: Client, blue: Team) -> None:
        one = make_asset("later-unlisted")
        incident = make_incident("Case", team=blue)
        as_analyst.post(f"/incidents/{incident.number}/assets/add/", {"name": "later-unlisted"})
        Asset.objects.filter(pk=one.pk).update(listed=False)
        assert as_analyst.get(f"/assets/{one.pk}/").status_code == 200
        assert incident.number in as_analyst.get(f"/assets/{one.pk}/").content.decode()
