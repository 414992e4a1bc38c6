"""Single sign-on by OpenID Connect (access.md 1): against a provider that does right, and one that does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client
from oidc_provider_mock import User as Known  # type: ignore[import-untyped]
from oidc_provider_mock import run_server_in_thread

from soar.accounts.actions.emails import set_email
from soar.accounts.models import AuditEntry, Role, Team, User
from tests.factories import make_user
from tests.oidc_provider import CLIENT_ID, Provider
from tests.sign_in_tools import age, app_of, is_in, signed_in

pytestmark = pytest.mark.django_db
SECRET = "the secret of the client"


def use(settings: Any, issuer: str) -> None:
    """What ``SOAR_OIDC_*`` sets."""
    settings.OIDC_ISSUER = issuer
    settings.OIDC_NAME = "Corp SSO"
    app = {
        "provider_id": "oidc", "name": "Corp SSO", "client_id": CLIENT_ID, "secret": SECRET,
        "settings": {"server_url": issuer, "scope": ["openid", "profile", "email"], "oauth_pkce_enabled": True},
    }  # fmt: skip
    kept = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {**kept, "APPS": [app]}}


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """One that can be told to do wrong; it is the one that is set up."""
    found = Provider()
    use(settings, found.url)
    yield found
    found.stop()


def go(client: Client, provider: Provider, **query: str) -> Any:
    """Sign in there and come back; returns the answer to that."""
    away = client.get("/accounts/oidc/", query)
    assert away.status_code == 302
    return client.get(provider.agree(away["Location"]))


def known(user: User, subject: str = "s-1") -> None:
    """The person has signed in this way before."""
    SocialAccount.objects.create(user=user, provider="oidc", uid=subject)


def test_nothing_of_it_is_there_until_it_is_set_up() -> None:
    client = Client()
    assert "Continue with" not in client.get("/accounts/login/").content.decode()
    for path in ("/accounts/oidc/", "/accounts/oidc/login/callback/?code=x&state=y"):
        assert client.get(path).status_code == 404


def test_the_sign_in_page_offers_it(provider: Provider) -> None:
    page = Client().get("/accounts/login/", {"next": "/incidents/"}).content.decode()
    assert "Continue with Corp SSO" in page
    assert 'href="/accounts/oidc/?next=%2Fincidents%2F"' in page


def test_somebody_known_signs_in(provider: Provider, analyst: User) -> None:
    known(analyst)
    client = Client()
    assert go(client, provider, next="/incidents/")["Location"] == "/incidents/"
    assert is_in(client)
    assert AuditEntry.objects.get(verb="login").data["by"] == ["socialaccount"]
    assert not SocialToken.objects.exists(), "no token of the provider is kept"


@pytest.mark.parametrize(
    "token",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": None},
        {"aud": "another-program"},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"sub": None},
        {"sub": "s-2"},
    ],
    ids=lambda token: "-".join(f"{name}={value}" for name, value in token.items() if name != "exp"),
)
def test_a_token_that_is_not_right_signs_nobody_in(
    provider: Provider, analyst: User, token: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    known(analyst)
    provider.token = token
    client = Client()
    with caplog.at_level(logging.DEBUG):
        answer = go(client, provider)
    assert answer.status_code == 502
    assert "You are not signed in" in answer.content.decode()
    assert not is_in(client)
    row = AuditEntry.objects.get(verb="login.failed")
    assert row.data["by"] == "single sign-on"
    assert SECRET not in caplog.text + str(row.data)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_anybody_could_have_signed(provider: Provider, analyst: User, algorithm: str) -> None:
    known(analyst)
    provider.algorithm = algorithm
    client = Client()
    assert go(client, provider).status_code == 502
    assert not is_in(client)


def test_a_token_signed_by_another_key(provider: Provider, analyst: User) -> None:
    known(analyst)
    provider.forged = True
    client = Client()
    assert go(client, provider).status_code == 502
    assert not is_in(client)


def test_userinfo_of_another_person(provider: Provider, analyst: User) -> None:
    known(analyst)
    provider.info = {"sub": "s-9"}
    client = Client()
    assert go(client, provider).status_code == 502
    assert not is_in(client)


@pytest.mark.parametrize("path", ["/token", "/keys", "/userinfo", "/.well-known/openid-configuration"])
def test_a_provider_that_breaks_on_the_way(provider: Provider, analyst: User, path: str) -> None:
    known(analyst)
    client = Client()
    away = client.get("/accounts/oidc/")
    provider.fault = path
    answer = client.get(provider.agree(away["Location"]))
    assert answer.status_code == 502
    assert not is_in(client)


def test_a_provider_that_is_away(provider: Provider) -> None:
    provider.stop()
    answer = Client().get("/accounts/oidc/")
    assert answer.status_code == 502
    assert "Corp SSO" in answer.content.decode()


def test_a_provider_that_calls_itself_another(provider: Provider) -> None:
    provider.issuer = "https://evil.example"
    assert Client().get("/accounts/oidc/").status_code == 502


@pytest.mark.parametrize("state", ["", "another", None])
def test_an_answer_to_no_question_of_this_browser(provider: Provider, analyst: User, state: str | None) -> None:
    known(analyst)
    client = Client()
    back = provider.agree(client.get("/accounts/oidc/")["Location"])
    code = parse_qs(urlsplit(back).query)["code"][0]
    query = {"code": code} if state is None else {"code": code, "state": state}
    assert client.get("/accounts/oidc/login/callback/", query).status_code == 400
    assert not is_in(client)
    other = Client()
    assert other.get(back).status_code == 400, "what was asked by another browser"
    assert not is_in(other)


def test_an_answer_works_once(provider: Provider, analyst: User) -> None:
    known(analyst)
    client = Client()
    back = provider.agree(client.get("/accounts/oidc/")["Location"])
    assert client.get(back).status_code == 302
    client.post("/accounts/logout/")
    assert client.get(back).status_code == 400
    assert not is_in(client)


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/"])
def test_it_never_leads_to_another_site(provider: Provider, analyst: User, there: str) -> None:
    known(analyst)
    assert go(Client(), provider, next=there)["Location"] == "/"


def test_what_the_browser_adds_is_not_passed_on(provider: Provider) -> None:
    query = {
        "auth_params": "prompt=none",
        "scope": "admin",
        "process": "connect",
        "redirect_uri": "https://evil.example",
    }
    asked = parse_qs(urlsplit(Client().get("/accounts/oidc/", query)["Location"]).query)
    assert sorted(asked["scope"][0].split()) == ["email", "openid", "profile"]
    assert "prompt" not in asked
    assert urlsplit(asked["redirect_uri"][0]).path == "/accounts/oidc/login/callback/"


def test_cancelling_is_no_error(provider: Provider) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.get("/accounts/oidc/")["Location"]).query)["state"][0]
    answer = client.get("/accounts/oidc/login/callback/", {"error": "access_denied", "state": state})
    assert answer.status_code == 200
    assert "cancelled" in answer.content.decode()
    assert not is_in(client)


def test_whoever_is_not_known_stays_out_and_nobody_is_made(provider: Provider, admin: User) -> None:
    client = Client()
    answer = go(client, provider)
    assert answer.status_code == 403
    assert "no account here" in answer.content.decode()
    assert list(User.objects.all()) == [admin]


def test_a_confirmed_address_that_an_admin_gave_finds_the_person(
    provider: Provider, admin: User, analyst: User
) -> None:
    set_email(admin, analyst, "Mara@corp.example")
    client = Client()
    assert go(client, provider).status_code == 302
    assert is_in(client)
    assert SocialAccount.objects.get().user == analyst
    assert AuditEntry.objects.filter(verb="user.oidc_linked").count() == 1


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_confirmed_finds_nobody(
    provider: Provider, admin: User, analyst: User, settings: Any, verified: object
) -> None:
    settings.OIDC_NEW_PEOPLE = True
    set_email(admin, analyst, "mara@corp.example")
    provider.claims["email_verified"] = verified
    go(Client(), provider)
    made = SocialAccount.objects.get().user
    assert made != analyst
    assert made.email == ""
    assert not SocialAccount.objects.filter(user=analyst).exists()


def test_an_address_that_somebody_gave_themselves_is_not_believed(provider: Provider, analyst: User) -> None:
    """Who writes the address of an admin into their own profile gets nothing of the admin's."""
    set_email(analyst, analyst, "mara@corp.example")
    assert go(Client(), provider).status_code == 403
    assert not SocialAccount.objects.exists()


def test_an_address_that_two_have_finds_nobody(provider: Provider, admin: User, analyst: User, viewer: User) -> None:
    for one in (analyst, viewer):
        set_email(admin, one, "mara@corp.example")
    assert go(Client(), provider).status_code == 403


@pytest.mark.parametrize("field", ["is_active", "is_service"])
def test_who_may_not_sign_in_may_not_this_way_either(provider: Provider, analyst: User, field: str) -> None:
    known(analyst)
    User.objects.filter(pk=analyst.pk).update(**{field: field == "is_service"})
    client = Client()
    assert go(client, provider)["Location"] == "/accounts/inactive/"
    assert not is_in(client)


@pytest.mark.parametrize("new_people", [True, False])
@pytest.mark.parametrize("given_by_themselves", [True, False])
def test_who_was_deactivated_does_not_come_back_as_somebody_new(
    provider: Provider, admin: User, analyst: User, settings: Any, new_people: bool, given_by_themselves: bool
) -> None:
    settings.OIDC_NEW_PEOPLE = new_people
    set_email(analyst if given_by_themselves else admin, analyst, "Mara@corp.example")
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    client = Client()
    assert go(client, provider)["Location"] == "/accounts/inactive/"
    assert not is_in(client)
    assert set(User.objects.all()) == {admin, analyst} and not SocialAccount.objects.exists()
    failed = AuditEntry.objects.get(verb="login.failed")
    assert (failed.target, failed.data["reason"]) == ("mara", "deactivated")


def test_the_address_of_somebody_deactivated_belongs_to_who_is_active(
    provider: Provider, admin: User, analyst: User, viewer: User
) -> None:
    for one in (analyst, viewer):
        set_email(admin, one, "mara@corp.example")
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    go(Client(), provider)
    assert SocialAccount.objects.get().user == analyst


def test_new_people_are_made_when_it_is_set_without_rights_or_password(provider: Provider, settings: Any) -> None:
    settings.OIDC_NEW_PEOPLE = True
    provider.claims |= {"preferred_username": "nora", "given_name": "Nora", "family_name": "Berg"}
    client = Client()
    assert go(client, provider).status_code == 302
    user = User.objects.get()
    assert (user.username, user.display_name(), user.email) == ("nora", "Nora Berg", "mara@corp.example")
    assert not user.has_usable_password()
    assert not user.groups.exists()
    assert not (user.is_staff or user.is_superuser)
    assert is_in(client)


def test_a_name_that_is_taken_is_not_taken_over(provider: Provider, settings: Any, analyst: User) -> None:
    settings.OIDC_NEW_PEOPLE = True
    provider.claims["preferred_username"] = "mara"
    go(Client(), provider)
    made = SocialAccount.objects.get().user
    assert made != analyst
    assert made.username != "mara"


def test_roles_and_teams_follow_the_claims(provider: Provider, analyst: User, settings: Any) -> None:
    known(analyst)
    Team.objects.get(name="Blue")
    make_user("rita", "Viewer", teams=("Red",))
    settings.OIDC_ROLES_CLAIM, settings.OIDC_ROLES = "groups", {"soc-resp": "Responder", "soc-view": "Viewer"}
    settings.OIDC_TEAMS_CLAIM, settings.OIDC_TEAMS = "groups", {"team-red": "Red"}
    provider.claims["groups"] = ["soc-resp", "team-red", "Admin", 7]
    go(Client(), provider)
    assert set(analyst.groups.values_list("name", flat=True)) >= {"Analyst", "Responder"}
    assert set(Team.objects.filter(group__user=analyst).values_list("name", flat=True)) == {"Blue", "Red"}
    provider.claims["groups"] = "soc-view"
    go(Client(), provider)
    names = set(Role.objects.filter(group__user=analyst).values_list("group__name", flat=True))
    assert names == {"Analyst", "Viewer"}, "what the settings do not name stays as it was"
    assert set(Team.objects.filter(group__user=analyst).values_list("name", flat=True)) == {"Blue"}
    changed = AuditEntry.objects.filter(verb="user.roles_changed").order_by("pk")
    assert [(row.data["added"], row.data["removed"]) for row in changed] == [
        (["Responder"], []), (["Viewer"], ["Responder"]),
    ]  # fmt: skip


def test_the_last_admin_stays_one(provider: Provider, admin: User, settings: Any) -> None:
    known(admin)
    settings.OIDC_ROLES_CLAIM, settings.OIDC_ROLES = "groups", {"boss": "Admin"}
    provider.claims["groups"] = []
    go(Client(), provider)
    admin.refresh_from_db()
    assert admin.is_superuser
    assert admin.groups.filter(name="Admin").exists()


def test_ones_own_second_factor_is_asked_for_here_too(provider: Provider, analyst: User) -> None:
    known(analyst)
    app_of(analyst)
    client = Client()
    assert go(client, provider)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)


@pytest.mark.parametrize("vouched", [False, True])
def test_the_provider_may_vouch_for_the_second_factor(
    provider: Provider, analyst: User, settings: Any, vouched: bool
) -> None:
    known(analyst)
    Role.objects.filter(group__name="Analyst").update(second_factor=True)
    settings.OIDC_SECOND_FACTOR = vouched
    client = Client()
    go(client, provider)
    assert is_in(client) is vouched


def test_a_fresh_login_is_asked_of_the_provider(provider: Provider, analyst: User, settings: Any) -> None:
    settings.OIDC_SECOND_FACTOR = False
    known(analyst)
    analyst.set_unusable_password()
    analyst.save()
    client = Client()
    go(client, provider)
    settings.FRESH_LOGIN_SECONDS = 300
    age(client, 301)
    held = client.post("/settings/tokens/new/", {"name": "Report", "days": "30"})
    assert held["Location"] == "/accounts/oidc/confirm/?next=%2Fsettings%2Ftokens%2Fnew%2F"
    away = client.get(held["Location"])
    assert parse_qs(urlsplit(away["Location"]).query)["prompt"] == ["login"]
    provider.token = {"auth_time": int(time.time()) - 7200}
    assert client.get(provider.agree(away["Location"])).status_code == 403
    assert not analyst.api_tokens.exists()
    provider.token = {}
    away = client.get(held["Location"])
    back = client.get(provider.agree(away["Location"]))
    done = client.get(back["Location"])
    assert done["Location"] == "/settings/tokens/"
    assert analyst.api_tokens.get().name == "Report"


def test_it_confirms_only_the_same_person(provider: Provider, analyst: User, viewer: User, settings: Any) -> None:
    known(analyst)
    known(viewer, "s-2")
    client = signed_in(analyst)
    settings.FRESH_LOGIN_SECONDS = 300
    away = client.get("/accounts/oidc/confirm/", {"next": "/settings/tokens/"})
    provider.claims["sub"] = "s-2"
    assert client.get(provider.agree(away["Location"])).status_code == 403
    assert client.get("/settings/profile/").content.decode().count("mara") > 0


def test_a_provider_of_somebody_else_s_making(analyst: User, settings: Any) -> None:
    """The same against a library's provider, over HTTP as browsers go there."""
    claims = {"email": "mara@corp.example", "email_verified": True}
    with run_server_in_thread(require_nonce=True, user_claims=[Known(sub="s-1", claims=claims)]) as server:
        use(settings, f"http://localhost:{server.server_port}")
        known(analyst)
        client = Client()
        away = client.get("/accounts/oidc/", {"next": "/incidents/"})
        back = httpx.post(away["Location"], data={"sub": "s-1"}, follow_redirects=False)
        parts = urlsplit(back.headers["Location"])
        assert client.get(f"{parts.path}?{parts.query}")["Location"] == "/incidents/"
        assert is_in(client)
