"""The pages that merge, split, take back and link, with and without scripts."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import holds, incidents, merge, restriction
from cases.actors import Actor
from cases.models import Alert, Incident, IncidentMove, IncidentRelation, TimelineEntry, TimelinePin
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def pair(**fields: object) -> tuple[Incident, Incident]:
    """Two incidents with an alert each."""
    stays = make_incident("Beaconing laptop", make_alert("One"), **fields)
    return stays, make_incident("Odd sign-ins", make_alert("Two"), **fields)


def words(client: Client, url: str, **more: object) -> str:
    """The page that is there."""
    answer = client.get(url, **more)  # type: ignore[arg-type]
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_find_look_and_merge(as_analyst: Client) -> None:
    stays, goes = pair()
    url = f"/incidents/{stays.number}/merge/"
    assert url in words(as_analyst, f"/incidents/{stays.number}/")
    found = words(as_analyst, url, query_params={"q": "sign-ins"})
    assert f"{url}?with={goes.number}" in found and "Beaconing" not in found.split("merge-found")[1]
    preview = words(as_analyst, url, query_params={"with": goes.number})
    assert "Odd sign-ins" in preview and "Merge it into" in preview and '<td data-label="Goes">1</td>' in preview
    assert Incident.objects.get(pk=goes.pk).merged_at is None
    form = {"incidents": [goes.number], "version": Incident.objects.get(pk=stays.pk).version}
    answer = as_analyst.post(url, form)
    assert (answer.status_code, answer["Location"]) == (302, f"/incidents/{stays.number}/")
    page = words(as_analyst, f"/incidents/{stays.number}/")
    assert "merged" in page and goes.number in page
    husk = words(as_analyst, f"/incidents/{goes.number}/")
    assert "Merged into" in husk and "Undo the merge" in husk and "incident-composer" not in husk


def test_with_htmx_only_the_region_comes(as_analyst: Client) -> None:
    stays, goes = pair()
    part = words(as_analyst, f"/incidents/{stays.number}/merge/", query_params={"with": goes.number}, headers=HTMX)
    assert part.lstrip().startswith('<div class="firstrun') and "<html" not in part


def test_what_is_in_the_way_is_told_before(as_admin: Client, admin: User) -> None:
    stays, goes = pair()
    holds.place(Actor.of(admin), goes.pk, "Court order")
    url = f"/incidents/{stays.number}/merge/"
    page = words(as_admin, url, query_params={"with": goes.number})
    assert "is on legal hold" in page and "disabled" in page and "Leave that incident out" in page
    answer = as_admin.post(url, {"incidents": [goes.number]})
    assert answer.status_code == 409 and "is on legal hold" in answer.content.decode()


@pytest.mark.parametrize("given", ["INC-0", "nonsense", "ALR-1", "9" * 40])
def test_a_number_that_is_none(as_analyst: Client, given: str) -> None:
    stays, _goes = pair()
    answer = as_analyst.get(f"/incidents/{stays.number}/merge/", {"with": given})
    assert answer.status_code == 200 and "There is no" in answer.content.decode()
    assert as_analyst.post(f"/incidents/{stays.number}/merge/", {"incidents": [given]}).status_code == 404


def test_a_stale_preview_merges_nothing(as_analyst: Client, analyst: User) -> None:
    stays, goes = pair()
    old = Incident.objects.get(pk=stays.pk).version
    incidents.update(Actor.of(analyst), stays.pk, changes={"title": "Another"})
    answer = as_analyst.post(f"/incidents/{stays.number}/merge/", {"incidents": [goes.number], "version": old})
    assert answer.status_code == 412
    assert Incident.objects.get(pk=goes.pk).merged_at is None


def test_who_may_not(as_viewer: Client, as_stranger: Client, blue: Team) -> None:
    stays, goes = pair(team=blue)
    for page in ("merge", "split"):
        assert as_viewer.get(f"/incidents/{stays.number}/{page}/").status_code == 403
        assert as_stranger.get(f"/incidents/{stays.number}/{page}/").status_code == 404
    assert f"/{stays.number}/merge/" not in as_viewer.get(f"/incidents/{stays.number}/").content.decode()
    merge.merge(Actor.system(), stays.pk, [goes.pk])
    move = IncidentMove.objects.get()
    url = f"/incidents/{stays.number}/moves/{move.pk}/undo/"
    assert (as_viewer.post(url).status_code, as_stranger.post(url).status_code) == (403, 404)
    assert as_viewer.get(f"/incidents/{goes.number}/merge/").status_code in (403, 409)


def test_the_search_finds_nothing_that_is_hidden(as_analyst: Client, admin: User) -> None:
    stays, goes = pair()
    restriction.restrict(Actor.of(admin), goes.pk)
    page = words(as_analyst, f"/incidents/{stays.number}/merge/", query_params={"q": goes.number})
    assert "Odd sign-ins" not in page and "No other incident matches" in page


def test_undo(as_analyst: Client, analyst: User) -> None:
    stays, goes = pair()
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    url = f"/incidents/{stays.number}/moves/{IncidentMove.objects.get().pk}/undo/"
    assert url in words(as_analyst, f"/incidents/{stays.number}/related/", headers=HTMX)
    assert "goes back" in words(as_analyst, url)
    assert Incident.objects.get(pk=goes.pk).merged_at is not None
    assert as_analyst.post(url).status_code == 302
    assert Incident.objects.get(pk=goes.pk).merged_at is None
    again = as_analyst.post(url)
    assert again.status_code == 409 and "undone already" in again.content.decode()


def test_split(as_analyst: Client) -> None:
    rows = [make_alert("One"), make_alert("Two")]
    whole = make_incident("Whole", *rows)
    url = f"/incidents/{whole.number}/split/"
    assert "Two" in words(as_analyst, url)
    told = as_analyst.post(url, {"do": "preview", "alerts": [rows[1].number], "title": "Half"}, headers=HTMX)
    assert told.status_code == 200 and "Half" in told.content.decode()
    assert Incident.objects.count() == 1
    refused = as_analyst.post(url, {"do": "split", "alerts": [row.number for row in rows], "title": "Kept words"})
    assert refused.status_code == 422
    assert "must stay" in refused.content.decode() and "Kept words" in refused.content.decode()
    answer = as_analyst.post(url, {"do": "split", "alerts": [rows[1].number]})
    new = Incident.objects.get(title="Two")
    assert answer["Location"] == f"/incidents/{new.number}/"
    assert Alert.objects.get(incident=new) == rows[1]


def test_links(as_analyst: Client) -> None:
    here, there = pair()
    url = f"/incidents/{here.number}/related/"
    answer = as_analyst.post(url, {"incident": there.number, "relation": "child_of"}, headers=HTMX)
    assert answer.status_code == 200 and "child of" in answer.content.decode()
    assert "parent of" in words(as_analyst, f"/incidents/{there.number}/related/")
    wrong = as_analyst.post(url, {"incident": "INC-99999", "relation": "child_of"}, headers=HTMX)
    assert wrong.status_code == 422 and "INC-99999" in wrong.content.decode()
    pk = IncidentRelation.objects.get().pk
    assert as_analyst.post(f"{url}{pk}/remove/").status_code == 302
    assert not IncidentRelation.objects.exists()
    assert as_analyst.get(f"{url}{pk}/remove/").status_code == 405


def test_a_husk_says_where_it_went_when_somebody_wants_to_merge_or_split_it(as_analyst: Client, analyst: User) -> None:
    stays, goes = pair()
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    for page in ("merge", "split"):
        answer = as_analyst.get(f"/incidents/{goes.number}/{page}/")
        assert answer.status_code == 409 and stays.number in answer.content.decode()


def test_what_stood_on_a_merged_timeline_is_pinned_where_it_is_read_and_not_corrected(
    as_analyst: Client, analyst: User
) -> None:
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    note = incidents.comment(Actor.of(analyst), goes.pk, "Seen at the gateway")
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    assert as_analyst.post(f"/incidents/{stays.number}/pin/", {"entry": note.pk}).status_code == 302
    html = as_analyst.get(f"/incidents/{stays.number}/").content.decode()
    assert 'aria-label="Unpin"' in html and "Correct this note" not in html
    assert "Correct this note" not in as_analyst.get(f"/incidents/{goes.number}/").content.decode()
    assert TimelineEntry.objects.filter(incident=stays, kind="entry.pinned", data__entry=note.pk).exists()
    as_analyst.post(f"/incidents/{stays.number}/pin/", {"entry": note.pk, "un": "1"})
    assert not TimelinePin.objects.exists()
