"""Every call of the schema with input made from it: no 5xx and no answer that is not documented (ingest-and-api.md 14).

``SOAR_FUZZ_EXAMPLES`` says how many inputs each call gets (3); the inputs are the same each time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import checks

from cases.api.reference import document
from soar.accounts import throttling
from soar.accounts.actions.users import create_token
from soar.accounts.models import User
from soar.lib.shared_rate import SharedRateLimiter
from tests.factories import make_alert, make_asset, make_incident, make_source, make_user

EXAMPLES = int(os.environ.get("SOAR_FUZZ_EXAMPLES", "3"))
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)
OURS = "/api/v1/"
# Senders of alerts call these with other tokens, and in the shapes of their own products.
OTHERS = ("ingest", "servicenow/{slug}/events", "alert", "webhooks/alerts")


@cache
def described() -> Any:
    schema = schemathesis.openapi.from_dict(document())
    schema.app = WSGIHandler()
    return schema


def groups() -> list[str]:
    return sorted({path.removeprefix(OURS).split("/")[0] for path in document()["paths"] if _ours(path)})


def _ours(path: str) -> bool:
    rest = path.removeprefix(OURS)
    return path.startswith(OURS) and not any(rest.rstrip("/") == one or rest.startswith(f"{one}/{{") for one in OTHERS)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests leave the connection of the test open, as those of Django's own client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def there(blue: Any) -> dict[str, Any]:
    """Something to hit, by the beginning of its address."""
    alert = make_alert("Beacon", observables=(("ip", "203.0.113.7"),))
    incident = make_incident("Beacons", make_alert("Another"))
    return {
        "alerts/{id}": alert.pk,
        "incidents/{id}": incident.number,
        "sources/{slug}": make_source("EDR", slug="edr").slug,
        "assets/{id}": make_asset("LT-1").pk,
        "observables/{id}": alert.observable_links.get().observable_id,
        "users/{id}": make_user("somebody", "Analyst").pk,
    }


@pytest.fixture
def caller(request: pytest.FixtureRequest, blue: Any) -> User:
    """Who may everything, and who may only read."""
    if request.param == "superuser":
        made = make_user("root", "Admin")
        User.objects.filter(pk=made.pk).update(is_superuser=True, is_staff=True)
        return User.objects.get(pk=made.pk)
    return make_user("jonas", "Viewer", teams=("Blue",))


@pytest.mark.django_db
@pytest.mark.parametrize("caller", ["superuser", "viewer"], indirect=True)
@pytest.mark.parametrize("group", groups())
def test_a_call_of_the_schema_answers_as_it_says(
    group: str, caller: User, there: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR, settings.ALLOWED_HOSTS = tmp_path, ["*"]
    monkeypatch.setattr(throttling, "_limiter", SharedRateLimiter(lambda: tmp_path / "rates", lambda: 1_000_000))
    _row, token = create_token(caller, "fuzz", actor=caller)
    wrong = []
    for found in described().get_all_operations():
        operation = found.ok()
        if _ours(operation.path) and operation.path.removeprefix(OURS).split("/")[0] == group:
            try:
                _fuzz(operation, there, {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                wrong.append(f"{operation.method.upper()} {operation.path}\n{_said(error)}")
    assert not wrong, "\n\n".join(wrong)


def _fuzz(operation: Any, there: dict[str, Any], headers: dict[str, str]) -> None:
    begin = next((one for one in there if operation.path.startswith(f"{OURS}{one}/")), "")

    @hypothesis.seed(1)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=False,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), real=st.booleans())
    def once(case: Any, real: bool) -> None:
        if begin and real:
            case.path_parameters[begin.partition("{")[2].rstrip("}")] = there[begin]
        _rolled_back(lambda: case.call_and_validate(headers=headers, checks=CHECKS))

    once()


def _rolled_back(act: Callable[[], object]) -> None:
    with transaction.atomic():
        try:
            act()
        finally:
            transaction.set_rollback(True)


def _said(error: BaseException) -> str:
    inner = getattr(error, "exceptions", None)
    return "\n".join(_said(one) for one in inner) if inner else f"{type(error).__name__}: {error}"[:2500]
