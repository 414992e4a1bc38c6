"""What is refused or breaks: a page that says why and what to do, problem+json for programs, never a bare trace."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path

from soar import errors, nav
from soar.accounts.models import User
from soar.lib.errors import Conflict, Forbidden, Missing
from soar.nav import GROUPS

TECHNICAL = "No User matches the given query."
RAISED: dict[str, Exception] = {
    "right": PermissionDenied("accounts.work_cases"),
    "said": PermissionDenied("Only the <lead> may close it."),
    "plain": PermissionDenied(),
    "odd": SuspiciousOperation("secret detail"),
    "gone": Http404(TECHNICAL),
    "broken": RuntimeError("secret detail"),
    "conflict": Conflict("The alert is resolved. Reopen it first."),
    "forbidden": Forbidden("You may see this alert but not work on it."),
    "missing": Missing("There is no alert 7."),
}


@login_not_required
def fail(request: HttpRequest, name: str) -> HttpResponse:
    raise RAISED[name]


def place(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a place")


urlpatterns = [
    path("alerts/", place, name="alert-list"),
    path("sources/", place, name="source-list"),
    path("fail/<name>/", fail),
    path("api/v1/fail/<name>/", fail),
    path("", include("soar.urls")),
]
handler400 = "soar.errors.bad_request"
handler403 = "soar.errors.forbidden"
handler404 = "soar.errors.not_found"
handler500 = "soar.errors.server_error"

pytestmark = pytest.mark.urls("tests.test_errors")


@pytest.fixture
def stranger() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("right", 403, "Work on alerts and incidents"),
        ("said", 403, "Only the &lt;lead&gt; may close it."),
        ("plain", 403, "Your role does not allow this."),
        ("odd", 400, "cannot be read"),
        ("gone", 404, "nothing at this address"),
        ("broken", 500, "not on your side"),
        ("conflict", 409, "Reopen it first."),
        ("forbidden", 403, "not work on it"),
        ("missing", 404, "nothing at this address"),
    ],
)
def test_a_page_says_why_and_which_request_it_was(stranger: Client, name: str, status: int, said: str) -> None:
    response = stranger.get(f"/fail/{name}/")
    page = response.content.decode()
    assert response.status_code == status
    assert said in page
    assert response["X-Request-ID"] in page
    assert 'href="/"' in page
    assert "secret detail" not in page
    assert TECHNICAL not in page


@pytest.mark.django_db
def test_a_missing_right_names_the_roles_that_have_it(stranger: Client) -> None:
    page = stranger.get("/fail/right/").content.decode()
    assert "Analyst, Responder, Admin" in page
    assert "Viewer" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "status"), [("right", 403), ("gone", 404), ("broken", 500), ("conflict", 409)])
def test_programs_get_a_problem_document(stranger: Client, name: str, status: int) -> None:
    response = stranger.get(f"/api/v1/fail/{name}/")
    body: dict[str, Any] = json.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert response.status_code == body["status"] == status
    assert body["detail"]
    assert "secret detail" not in response.content.decode()


@pytest.mark.django_db
def test_htmx_gets_words_for_a_toast(stranger: Client) -> None:
    response = stranger.get("/fail/right/", headers={"HX-Request": "true"})
    assert response.status_code == 403
    assert "Work on alerts and incidents" in response.json()["detail"]


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
@pytest.mark.parametrize("path", ["/x/", "/api/x/"])
def test_errors_stand_without_a_database(path: str, theme: str) -> None:
    """No ``django_db`` here: a query would raise."""
    request = RequestFactory().get(path)
    request.COOKIES["theme"] = theme
    answers = [
        errors.server_error(request), errors.unavailable(request), errors.bad_request(request),
        errors.not_found(request), errors.forbidden(request, RAISED["right"]), errors.csrf_failure(request),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [500, 503, 400, 404, 403, 403]
    if path == "/x/":
        assert all(f'data-theme="{theme}"' in answer.content.decode() for answer in answers)


@pytest.mark.django_db
def test_an_error_is_logged_with_its_place_and_the_id_that_the_page_shows(stranger: Client) -> None:
    lines: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = lines.append  # type: ignore[assignment,method-assign]
    logging.getLogger("django.request").addHandler(handler)
    try:
        response = stranger.get("/fail/broken/", headers={"X-Request-ID": "error-of-mine"})
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert response["X-Request-ID"] == "error-of-mine" and "error-of-mine" in response.content.decode()
    [line] = lines
    assert line.levelno == logging.ERROR and line.exc_info is not None
    assert "secret detail" in str(line.exc_info[1]) and "secret detail" not in response.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_leads_back_to_its_page() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {}, headers={"Referer": "http://testserver/accounts/login/?next=/x"})
    page = response.content.decode()
    assert response.status_code == 403
    assert 'href="/accounts/login/?next=/x"' in page
    foreign = client.post("/accounts/login/", {}, headers={"Referer": "http://elsewhere.example/"})
    assert "elsewhere.example" not in foreign.content.decode()
    doubled = client.post("/accounts/login/", {}, headers={"Referer": "http://testserver//elsewhere.example/x"})
    assert 'href="/elsewhere.example/x"' in doubled.content.decode()


@pytest.mark.django_db
def test_the_sign_in_page_is_ours_and_keeps_the_name_after_a_wrong_password(stranger: Client) -> None:
    page = stranger.get("/accounts/login/").content.decode()
    assert 'class="gate-card' in page
    [field] = re.findall(r'<input[^>]*autocomplete="current-password"[^>]*>', page)
    assert 'type="password"' in field
    User.objects.create_user("mara", password="right horse battery")
    wrong = stranger.post("/accounts/login/", {"login": "mara", "password": "wrong"}).content.decode()
    assert 'value="mara"' in wrong
    assert 'role="alert"' in wrong


@pytest.fixture
def mara() -> User:
    return User.objects.create_user("mara", first_name="Mara", last_name="Lindqvist")


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/more/", "/shortcuts/", "/styleguide/"])
def test_pages_of_the_frame_need_a_person(stranger: Client, mara: User, page: str) -> None:
    refused = stranger.get(page)
    assert refused.status_code == 302
    assert refused["Location"].startswith("/accounts/login/")
    stranger.force_login(mara)
    shown = stranger.get(page)
    assert shown.status_code == 200
    assert "Mara Lindqvist" in shown.content.decode()
    assert shown.content.decode().count("<h1") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "seen"),
    [(None, set()), ("Viewer", {"/alerts/"}), ("Admin", {"/alerts/", "/sources/"})],
)
def test_the_navigation_shows_only_what_the_person_may_open(
    stranger: Client, mara: User, role: str | None, seen: set[str]
) -> None:
    if role:
        mara.groups.add(Group.objects.get(name=role))
    stranger.force_login(mara)
    page = stranger.get("/styleguide/").content.decode()
    assert {place for place in ("/alerts/", "/sources/") if f'<a href="{place}"' in page} == seen
    assert '<form method="post" action="/accounts/logout/">' in page


def test_a_place_that_this_installation_lacks_is_left_out() -> None:
    assert nav.url_or_none("alert-list") == "/alerts/"
    assert nav.url_or_none("no-such-page") is None


@pytest.mark.django_db
def test_the_theme_is_kept_for_the_person_and_the_browser(stranger: Client, mara: User) -> None:
    anonymous = stranger.post("/theme/", {"theme": "dark"}, headers={"Referer": "http://testserver/accounts/login/"})
    assert anonymous["Location"] == "http://testserver/accounts/login/"
    assert 'data-bs-theme="dark"' in stranger.get("/accounts/login/").content.decode()
    stranger.force_login(mara)
    assert 'data-theme="auto"' in stranger.get("/more/").content.decode()
    stranger.post("/theme/", {"theme": "light"})
    mara.refresh_from_db()
    assert mara.theme == "light"
    assert 'data-theme="light"' in stranger.get("/more/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "theme", "status"), [("post", "pink", 400), ("post", "", 400), ("get", "dark", 405)]
)
def test_a_theme_that_is_none_changes_nothing(
    stranger: Client, mara: User, method: str, theme: str, status: int
) -> None:
    stranger.force_login(mara)
    assert getattr(stranger, method)("/theme/", {"theme": theme}).status_code == status
    mara.refresh_from_db()
    assert mara.theme == "auto"


@pytest.mark.django_db
def test_the_theme_never_sends_anybody_elsewhere(stranger: Client) -> None:
    response = stranger.post("/theme/", {"theme": "dark"}, headers={"Referer": "https://evil.example/"})
    assert response["Location"] == "/"


@pytest.mark.django_db
def test_shortcuts_switched_off_are_off_on_every_page(stranger: Client, mara: User) -> None:
    stranger.force_login(mara)
    assert 'data-shortcuts="off"' not in stranger.get("/more/").content.decode()
    User.objects.filter(pk=mara.pk).update(shortcuts=False)
    assert 'data-shortcuts="off"' in stranger.get("/more/").content.decode()


@pytest.mark.django_db
def test_the_keys_come_as_a_dialog_for_htmx(stranger: Client, mara: User) -> None:
    stranger.force_login(mara)
    page = stranger.get("/shortcuts/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert 'id="dialog-title"' in page


@pytest.mark.django_db
def test_the_page_of_keys_names_every_place_that_a_key_leads_to(stranger: Client, mara: User) -> None:
    stranger.force_login(mara)
    page = stranger.get("/shortcuts/").content.decode()
    for group in GROUPS:
        for entry in group.entries:
            if entry.go:
                assert f"<kbd>g</kbd> <kbd>{entry.go}</kbd>" in page, entry.url_name


def test_no_two_places_have_the_same_key() -> None:
    letters = [entry.go for group in GROUPS for entry in group.entries if entry.go]
    assert len(letters) == len(set(letters))
