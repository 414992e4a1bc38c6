"""Lists of the settings come in pages and can be searched; nothing of a long one is lost (interface.md 9)."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from cases.models import CustomField, IncidentTemplate, TicketProfile
from playbooks.models import LoadError, Playbook, PlaybookVersion
from playbooks.models.playbook import CAN_RUN
from soar.accounts.models import User
from soar.connectors.models import ConnectorAccount, Route
from tests.factories import make_incident
from tests.ticket_rows import make_conflict, make_failure, make_instance, make_link, make_profile

pytestmark = pytest.mark.django_db
SIDEWAYS = re.compile(r'href="([^"]*)" rel="(prev|next)"')


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    text: str = answer.content.decode()
    return text


def beside(text: str, rel: str) -> list[str]:
    """Where the buttons of this direction lead."""
    return [url.replace("&amp;", "&") for url, one in SIDEWAYS.findall(text) if one == rel]


def through(client: Client, path: str) -> list[str]:
    """All pages of a list, by its own buttons."""
    pages = [page(client, path)]
    while onward := beside(pages[-1], "next"):
        pages.append(page(client, path.partition("?")[0] + onward[0].partition("#")[0]))
    return pages


def rows(text: str) -> list[str]:
    """What stands first in each row."""
    return re.findall(r'<th scope="row" class="tall"><a class="quiet" href="[^"]*">([^<]*)</a>', text)


@pytest.mark.parametrize(
    "path", ["/settings/templates/", "/settings/fields/", "/connectors/", "/playbooks/", "/servicenow/"]
)
def test_rubbish_in_the_address_shows_the_first_page(as_admin: Client, path: str) -> None:
    for query in ("cursor=rubbish", "cursor=WyJuYW1lIiwwLDFd", "q=%00", "rules=x", "problems=x", "failures=change-x"):
        page(as_admin, f"{path}?{query}")
    page(as_admin, f"{path}?failures=change-99999999999999999999&failures=link-%C2%B2")


def test_templates_are_paged_by_name_and_searched(as_admin: Client) -> None:
    there = {one.lower() for one in IncidentTemplate.objects.values_list("name", flat=True)}
    names = [f"{letter}{number:02}" for number in range(35) for letter in ("a", "B")]
    IncidentTemplate.objects.bulk_create(IncidentTemplate(name=name, kind="phishing") for name in names)
    pages = through(as_admin, "/settings/templates/")
    shown = [name.lower() for text in pages for name in rows(text)]
    assert len(pages) == 2 and shown == sorted({*there, *(name.lower() for name in names)})
    back = page(as_admin, "/settings/templates/" + beside(pages[1], "prev")[0])
    assert rows(back) == rows(pages[0])
    found = page(as_admin, "/settings/templates/?q=b3")
    assert rows(found) == ["B30", "B31", "B32", "B33", "B34"] and 'value="b3"' in found
    assert "No template matches" in page(as_admin, "/settings/templates/?q=nothing-of-it")


def test_connectors_are_paged_and_searched(as_admin: Client) -> None:
    ConnectorAccount.objects.bulk_create(
        ConnectorAccount(kind="webhook" if n % 2 else "http", name=f"Conn {n:02}") for n in range(60)
    )
    pages = through(as_admin, "/connectors/")
    assert [name for text in pages for name in rows(text)] == [f"Conn {n:02}" for n in range(60)]
    assert all('<b class="ink">60</b>' in text for text in pages)
    assert rows(page(as_admin, "/connectors/?q=conn+07")) == ["Conn 07"]
    assert len(rows(page(as_admin, "/connectors/?q=WEBHOOK"))) == 30
    assert "No connector matches" in page(as_admin, "/connectors/?q=nothing-of-it")


def test_rules_keep_their_numbers_over_pages(as_admin: Client) -> None:
    account = ConnectorAccount.objects.create(kind="visionone", name="XDR", settings={})
    made = [Route.objects.create(order=n * 10, account=account, tag=f"tag{n}") for n in range(1, 31)]
    first = page(as_admin, "/connectors/")
    second = page(as_admin, "/connectors/" + beside(first, "next")[0].partition("#")[0])
    numbered = re.compile(r'data-label="No.">(\d+)</td>.*?data-label="Tag">(\w+)<')
    assert numbered.findall(first + second) == [(str(n), f"tag{n}") for n in range(1, 31)]
    assert f"/routes/{made[0].pk}/raise/" not in first  # nothing is before it
    [here] = re.findall(r'name="back" value="([^"]+)"', second)
    answer = as_admin.post(f"/connectors/routes/{made[25].pk}/raise/", {"back": here.replace("&amp;", "&")})
    assert answer["Location"] == f"/connectors/?{here}#routes"
    assert list(Route.objects.values_list("tag", flat=True))[24:26] == ["tag26", "tag25"]
    as_admin.post(f"/connectors/routes/{made[29].pk}/remove/", {"back": "//elsewhere.example\r\nX: y"})
    assert Route.objects.count() == 29


def test_custom_fields_move_over_the_edge_of_a_page(as_admin: Client) -> None:
    CustomField.objects.bulk_create(
        CustomField(key=f"f{n:02}", name=f"F{n:02}", kind="text", position=n) for n in range(1, 61)
    )
    first = page(as_admin, "/settings/fields/")
    second = page(as_admin, "/settings/fields/" + beside(first, "next")[0])
    assert rows(first) + rows(second) == [f"F{n:02}" for n in range(1, 61)]
    assert "/settings/fields/f01/up/" not in first and "/settings/fields/f60/down/" not in second
    assert "/settings/fields/f50/down/" in first and "/settings/fields/f51/up/" in second
    [here] = re.findall(r'name="back" value="([^"]+)"', second)
    answer = as_admin.post("/settings/fields/f51/up/", {"back": here.replace("&amp;", "&")})
    assert answer["Location"] == f"/settings/fields/?{here}"
    assert rows(page(as_admin, "/settings/fields/"))[-2:] == ["F49", "F51"]
    # A search shows some of them, among which "one up" would mean something else.
    found = page(as_admin, "/settings/fields/?q=F4")
    assert len(rows(found)) == 10 and "/up/" not in found


def test_retired_fields_stand_by_themselves_and_are_passed_over(as_admin: Client) -> None:
    for number, name in enumerate(("a", "b", "c"), 1):
        CustomField.objects.create(key=name, name=name.upper(), kind="text", position=number)
    assert "Retired" not in page(as_admin, "/settings/fields/")
    as_admin.post("/settings/fields/b/retire/")
    text = page(as_admin, "/settings/fields/")
    assert rows(text) == ["A", "C"] and 'Retired <span class="n">1</span>' in text
    assert rows(page(as_admin, "/settings/fields/?retired=1")) == ["B"]
    as_admin.post("/settings/fields/a/down/")
    assert rows(page(as_admin, "/settings/fields/")) == ["C", "A"]
    as_admin.post("/settings/fields/a/up/")
    assert rows(page(as_admin, "/settings/fields/")) == ["A", "C"]


def test_playbooks_are_paged_with_the_figures_of_all(as_admin: Client, admin: User) -> None:
    drawn = Playbook.objects.create(name="Zz drawn", kind="response", trigger="webhook", enabled=True, order=999)
    PlaybookVersion.objects.create(playbook=drawn, number=1, digest="0" * 64)
    Playbook.objects.bulk_create(
        Playbook(name=f"P{n:02}", module=f"m{n}.py", folder="/x", enabled=n % 2 == 0, order=n,
                 load_error="Boom" if n == 4 else "", deactivated_reason="too many" if n == 6 else "")
        for n in range(40)
    )  # fmt: skip
    pages = through(as_admin, "/playbooks/")
    assert [name for text in pages for name in rows(text)] == [*(f"P{n:02}" for n in range(40)), "Zz drawn"]
    every = list(Playbook.objects.all())
    assert {one.pk for one in every if not one.hindrance} == set(
        Playbook.objects.filter(CAN_RUN).values_list("pk", flat=True)
    )
    assert all('<b class="ink">41</b>, 18 enabled' in text for text in pages)
    assert '<b class="ink">10</b>' in page(as_admin, "/playbooks/?q=P1")


def test_a_traceback_is_read_when_it_is_asked_for(as_admin: Client, as_viewer: Client) -> None:
    broken = Playbook.objects.create(name="Torn", kind="python", folder="/x", module="torn.py", load_error="In a\nOdd!")
    sound = Playbook.objects.create(name="Sound", kind="python", folder="/x", module="sound.py")
    other = LoadError.objects.create(path="/x/other.py", message="No such name", traceback="Line 7\n<b>NameError")
    text = page(as_admin, "/playbooks/")
    assert "Odd!" in text and "In a" not in text and "Line 7" not in text and "No such name" in text
    for path, inside in (
        (f"/playbooks/{broken.pk}/traceback/", "In a\nOdd!"),
        (f"/playbooks/problems/{other.pk}/", "Line 7\n&lt;b&gt;NameError"),
    ):
        assert f'href="{path}"' in text and f'hx-get="{path}"' in text
        assert inside in page(as_viewer, path)
        part = as_viewer.get(path, headers={"HX-Request": "true"}).content.decode()
        assert inside in part and "<html" not in part
    assert as_admin.get(f"/playbooks/{sound.pk}/traceback/").status_code == 404
    assert as_admin.get(f"/playbooks/problems/{other.pk + 1}/").status_code == 404


def test_files_that_cannot_be_loaded_come_in_pages(as_admin: Client) -> None:
    LoadError.objects.bulk_create(LoadError(path=f"/x/f{n:02}.py", message="Odd") for n in range(30))
    first = page(as_admin, "/playbooks/")
    second = page(as_admin, "/playbooks/" + beside(first, "next")[0].partition("#")[0])
    assert re.findall(r"f(\d\d)\.py", first + second) == [f"{n:02}" for n in range(30)]


@pytest.fixture
def profile(admin: User) -> TicketProfile:
    return make_profile(make_instance(), "Incidents")


def test_all_failures_of_the_sync_can_be_reached(as_admin: Client, profile: TicketProfile) -> None:
    links = [make_link(make_incident(f"Case {n}"), profile, sys_id=f"{n:032}") for n in range(23)]
    made = [make_failure(link) for link in links]
    links[0].__class__.objects.filter(pk__in=[one.pk for one in links[-2:]]).update(state="broken")
    first = page(as_admin, "/servicenow/")
    [onward] = re.findall(r'href="(/servicenow/\?failures=[^"#]+)#failures"', first)
    second = page(as_admin, onward)
    shown = re.findall(r'id="failure-(\d+)-(\d+)"', first + second)
    assert len(re.findall('id="failure-', first)) == 20
    assert [int(change) for _link, change in shown if int(change)] == [one.pk for one in made[:-2]]
    assert {int(link) for link, change in shown if not int(change)} == {one.pk for one in links[-2:]}
    poll = re.findall(r'hx-get="(/servicenow/live/\?[^"]+)"', second)[0].replace("&amp;", "&")
    assert "failures=change-" in poll and as_admin.get(poll).status_code == 204  # it keeps the page that is read


def test_conflicts_beyond_the_oldest_are_on_their_own_page(as_admin: Client, profile: TicketProfile) -> None:
    for number in range(22):
        make_conflict(make_link(make_incident(f"Case {number}"), profile, sys_id=f"{number:032}"))
    text = page(as_admin, "/servicenow/")
    assert len(re.findall('id="conflict-', text)) == 10 and "The oldest 10 are shown." in text
    assert len(re.findall('<tr id="conflict-', page(as_admin, "/servicenow/conflicts/"))) == 22
