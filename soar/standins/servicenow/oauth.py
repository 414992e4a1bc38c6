"""``POST /oauth_token.do``: password, client credentials and refresh grants, with tokens that end."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from soar.standins.base import Request, Response, json_response
from soar.standins.servicenow.answers import OAuthRefusal
from soar.standins.servicenow.store import Store

REFRESH_SECONDS = 8_640_000  # a hundred days
CLIENT_GRANT = "glide.oauth.inbound.client.credential.grant_type.enabled"
PASSWORD_GRANT = "glide.oauth.inbound.password.grant_type.enabled"  # noqa: S105  a property, no password
Form = dict[str, str]


def token(store: Store, request: Request, right: Callable[[Store, str, str], bool]) -> Response:
    """The answer to a request for a token; ``right`` checks a password. Raises OAuthRefusal."""
    if request.method != "POST":
        raise OAuthRefusal(405, "invalid_request", "POST only")
    form = request.form()
    client = form.get("client_id", "")
    if not client or store.state["clients"].get(client, {}).get("secret") != form.get("client_secret"):
        raise OAuthRefusal(401, "invalid_client", "The client credentials are not right")
    grants: dict[str, Callable[[], str]] = {
        "password": lambda: _by_password(store, form, right),
        "client_credentials": lambda: _by_client(store, client),
        "refresh_token": lambda: _by_refresh(store, form),
    }
    grant = grants.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthRefusal(400, "unsupported_grant_type", "The grant type is not supported")
    return _given(store, grant(), refreshing=form["grant_type"] != "client_credentials")


def user_of(store: Store, access_token: str) -> str:
    """Whose token this is; "" for none, or one that has ended."""
    held = store.state["tokens"].get(access_token)
    if not held or held["kind"] != "access" or held["until"] <= _now(store):
        return ""
    return str(held["user"])


def expire(store: Store, *, refresh: bool) -> int:
    """End all access tokens, and the refresh tokens if told so. Returns how many."""
    ended = [one for one in store.state["tokens"].values() if refresh or one["kind"] == "access"]
    for one in ended:
        one["until"] = 0
    store.changes += 1
    return len(ended)


def _given(store: Store, user: str, *, refreshing: bool) -> Response:
    seconds = int(store.settings["token_seconds"])
    body = {"access_token": _new(store, "access", user, seconds), "scope": "useraccount", "token_type": "Bearer"}
    if refreshing:
        body["refresh_token"] = _new(store, "refresh", user, REFRESH_SECONDS)
    return json_response({**body, "expires_in": seconds})


def _new(store: Store, kind: str, user: str, seconds: int) -> str:
    made = secrets.token_urlsafe(32)
    store.state["tokens"][made] = {"kind": kind, "user": user, "until": _now(store) + seconds}
    store.changes += 1
    return made


def _by_password(store: Store, form: Form, right: Callable[[Store, str, str], bool]) -> str:
    if store.property(PASSWORD_GRANT, "true") != "true":
        raise OAuthRefusal(401, "unsupported_grant_type", "The password grant is disabled on this instance")
    user = form.get("username", "")
    if not right(store, user, form.get("password", "")):
        raise OAuthRefusal(401, "access_denied", "access_denied")
    return user


def _by_client(store: Store, client: str) -> str:
    if store.property(CLIENT_GRANT, "false") != "true":
        raise OAuthRefusal(401, "unauthorized_client", "The client credentials grant is not enabled")
    return str(store.state["clients"][client]["user"])


def _by_refresh(store: Store, form: Form) -> str:
    held = store.state["tokens"].get(form.get("refresh_token", ""))
    if not held or held["kind"] != "refresh" or held["until"] <= _now(store):
        raise OAuthRefusal(401, "invalid_grant", "The refresh token is invalid or has expired")
    return str(held["user"])


def _now(store: Store) -> float:
    return store.now().timestamp()
