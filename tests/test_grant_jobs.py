"""One grant on many things: by ids or a filter, as a job with progress (access.md 5)."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions.access import INCIDENT
from cases.models import Incident
from soar.accounts.access import actions, jobs
from soar.accounts.access.rows import grants_on
from soar.accounts.models import GrantJob, Team, User
from soar.models import QueuedTask
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
PATH = "/incidents/grants/bulk/"


@pytest.fixture
def cases(red: Team) -> list[Incident]:
    """Three incidents of team Red."""
    return [make_incident(f"Red {n}", team=red, severity="high" if n else "low") for n in range(3)]


def levels(incident: Incident) -> dict[str, str]:
    return {one.key: one.level for one in grants_on(INCIDENT, incident)}


def test_what_makes_no_job_is_refused_beside_its_field(admin: User, viewer: User, cases: list[Incident]) -> None:
    api, ids = Api(admin), [cases[0].pk]
    for body, field in (
        ({"user": "jonas", "level": "view"}, "ids"),
        ({"ids": ids, "filter": {"severity": "high"}, "user": "jonas", "level": "view"}, "ids"),
        ({"ids": [], "user": "jonas", "level": "view"}, "ids"),
        ({"ids": ["ALR-7"], "user": "jonas", "level": "view"}, "ids"),
        ({"ids": ids, "user": "who", "level": "view"}, "user"),
        ({"ids": ids, "user": "jonas", "level": "own"}, "level"),
        ({"ids": ids, "user": "jonas", "level": "view", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"filter": {"colour": "red"}, "user": "jonas", "level": "view"}, "filter"),
        ({"filter": {"severity": "purple"}, "user": "jonas", "level": "view"}, "filter"),
        ({"filter": {"severity": "critical"}, "user": "jonas", "level": "view"}, "ids"),
    ):
        assert set(wrong_fields(api.post(PATH, body))) == {field}, body
    problem_of(api.post("/sources/grants/bulk/", {"filter": {"q": "x"}, "user": "jonas", "level": "view"}), 400)
    assert not GrantJob.objects.exists()


def test_a_filter_means_what_matches_now(admin: User, viewer: User, cases: list[Incident]) -> None:
    answer = Api(admin).post(PATH, {"filter": {"severity": "high"}, "user": "jonas", "level": "comment"})
    assert answer.status_code == 202
    made = Api(admin).get(f"/grant-jobs/{answer.json()['job']}/").json()
    assert (made["status"], made["total"], made["user"], made["level"]) == ("queued", 2, "jonas", "comment")
    assert QueuedTask.objects.filter(task=jobs.TASK).exists()
    jobs.work_off(made["id"])
    ended = Api(admin).get(f"/grant-jobs/{made['id']}/").json()
    assert (ended["status"], ended["done"], ended["refused_count"]) == ("successful", 2, 0)
    assert [levels(case) for case in cases] == [{}, {"jonas": "comment"}, {"jonas": "comment"}]
    jobs.work_off(made["id"])  # the queue delivers at least once
    assert Api(admin).get(f"/grant-jobs/{made['id']}/").json()["done"] == 2
    problem_of(Api(viewer).get(f"/grant-jobs/{made['id']}/"), 404)
    problem_of(Api(admin).post(f"/grant-jobs/{made['id']}/cancel/", {}), 409)


def test_each_is_granted_with_ones_own_rights_and_none_is_lowered(
    admin: User, analyst: User, viewer: User, cases: list[Incident]
) -> None:
    one, two, three = cases
    actions.grant(None, INCIDENT, one.number, analyst, "manage")
    actions.grant(None, INCIDENT, two.number, analyst, "edit")
    actions.grant(None, INCIDENT, one.number, viewer, "close")
    body = {"ids": [one.number, two.pk, three.number, 999_999], "user": "jonas", "level": "view"}
    made = Api(analyst).post(PATH, body).json()["job"]
    jobs.work_off(made)
    ended = Api(analyst).get(f"/grant-jobs/{made}/").json()
    assert (ended["status"], ended["done"], ended["same"]) == ("partially_successful", 0, 1)
    assert [row["thing"] for row in ended["refused"]] == [two.number, str(three.pk), "999999"]
    assert levels(one)["jonas"] == "close"
    assert "jonas" not in levels(two) | levels(three)


def test_a_job_stops_where_it_is_cancelled(admin: User, viewer: User, cases: list[Incident]) -> None:
    made = Api(admin).post(PATH, {"ids": [case.pk for case in cases], "user": "jonas", "level": "view"}).json()["job"]
    assert jobs._step(made)
    answer = Api(admin).post(f"/grant-jobs/{made}/cancel/", {}).json()
    assert (answer["status"], answer["done"]) == ("cancelled", 1)
    jobs.work_off(made)
    assert [len(levels(case)) for case in cases] == [1, 0, 0]


def test_sources_are_named_by_slug(admin: User, viewer: User, red: Team) -> None:
    sources = [make_source(team=red) for _ in range(2)]
    made = Api(admin).post(
        "/sources/grants/bulk/", {"ids": [one.slug for one in sources], "user": "jonas", "level": "view"}
    )
    jobs.work_off(made.json()["job"])
    assert Api(admin).get(f"/grant-jobs/{made.json()['job']}/").json()["done"] == 2


def test_a_job_whose_task_was_given_up_ends(admin: User, viewer: User, cases: list[Incident]) -> None:
    from django.utils import timezone

    made = Api(admin).post(PATH, {"ids": [cases[0].pk], "user": "jonas", "level": "view"}).json()["job"]
    assert jobs.end_given_up() == 0
    QueuedTask.objects.filter(task=jobs.TASK).update(failed_at=timezone.now())
    assert jobs.end_given_up() == 1
    assert GrantJob.objects.get(pk=made).status == "unsuccessful"


def test_a_list_is_granted_in_the_browser(
    as_admin: Client, as_analyst: Client, viewer: User, cases: list[Incident]
) -> None:
    page = "/incidents/grant/?severity=high"
    assert as_admin.get(page).context["total"] == 2
    for given in ({"who": "", "level": "view"}, {"who": "jonas", "level": "own"}, {"who": "who", "level": "view"}):
        assert as_admin.post(page, given).status_code == 422
    assert as_admin.post("/incidents/grant/?severity=critical", {"who": "jonas", "level": "view"}).status_code == 422
    done = as_admin.post(page, {"who": "jonas", "level": "view", "days": "7"})
    job = GrantJob.objects.get()
    assert (done.status_code, done["Location"]) == (302, f"/incidents/grant/jobs/{job.pk}/")
    assert as_admin.get(done["Location"]).context["going"]
    assert as_analyst.get(done["Location"]).status_code == 404
    jobs.work_off(job.pk)
    answer = as_admin.get(done["Location"], headers={"HX-Request": "true"})
    assert answer["HX-Trigger"] == "poll"
    assert as_admin.post(f"{done['Location']}cancel/").status_code == 302
    assert [levels(case) for case in cases] == [{}, {"jonas": "view"}, {"jonas": "view"}]


@pytest.mark.parametrize("kind", ["incidents", "sources", "playbooks", "connectors"])
def test_names_are_not_told_to_who_manages_nothing(analyst: User, kind: str) -> None:
    """Neither whether there is such a person nor such a group."""
    for user in ("jonas", "nobody-of-this-name"):
        asked = {"ids": ["1"], "user": user, "level": "use" if kind == "connectors" else "view"}
        problem_of(Api(analyst).post(f"/{kind}/grants/bulk/", asked), 403)
    assert client_of(analyst).get("/incidents/grant/").status_code == 403
    assert client_of(analyst).get("/incidents/grant/search/?who=a").status_code == 403
