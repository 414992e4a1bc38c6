"""Connector accounts, for those who manage them. Secrets go in and never come out (connectors.md 1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import bodies, documented, paging
from cases.api.base import ApiViewSet, as_read, read_facts, whole, with_facts
from cases.api.fields import Body, Flag, Text
from cases.api.shapes import page_of
from cases.errors import Conflict
from soar.accounts.membership import may
from soar.connectors import actions, showing
from soar.connectors.errors import Forbidden, NoConnector, Refused
from soar.connectors.models import ConnectorAccount
from soar.connectors.registry import KINDS
from soar.connectors.removal import InUse, remove_account
from soar.connectors.selectors import managed_by, read_by
from soar.lib.clock import iso

# Checks of health change them, not people.
PASSING = ("disabled_reason", "last_check_at", "last_ok_at", "last_error", "updated_at")
NOT_YOURS = gettext_noop("The permission to manage connectors is missing.")


class Values(s.DictField):
    """A JSON object of texts, numbers and flags."""

    child = s.JSONField(allow_null=True)


class ConnectorChanges(Body):
    """What is given is changed; `settings` and `secrets` are merged into those there are."""

    name = Text(max_length=100, required=False)
    settings = Values(required=False)
    secrets = Values(required=False, help_text="An empty text or null removes one")
    enabled = Flag(required=False)


class NewConnector(Body):
    """An account of a kind; `manage.py connector create KIND --help` lists settings and secrets."""

    kind = Text(max_length=40, help_text=f"One of: {', '.join(sorted(KINDS))}")
    name = Text(max_length=100)
    settings = Values()
    secrets = Values(required=False)


class Connector(s.Serializer[Any]):
    """A connector account; of its secrets only the names."""

    id = s.IntegerField()
    kind = s.CharField()
    name = s.CharField()
    settings = s.DictField()
    secrets = s.ListField(child=s.CharField(), help_text="Names of those that are set")
    capabilities = s.ListField(child=s.CharField(), help_text="What it can be asked to do")
    enabled = s.BooleanField()
    disabled_reason = s.CharField(help_text="Why Soar itself switched it off; empty: it did not")
    last_check_at = s.DateTimeField(allow_null=True)
    last_ok_at = s.DateTimeField(allow_null=True)
    last_error = s.CharField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()


class ConnectorHealth(s.Serializer[Any]):
    """What a test of the connection found."""

    ok = s.BooleanField()
    message = s.CharField()
    at = s.DateTimeField()
    milliseconds = s.IntegerField()


CONNECTOR_PAGE = page_of(Connector)


class Connectors(ApiViewSet):
    """``/connectors/``."""

    @extend_schema(**documented.listing("List connectors", CONNECTOR_PAGE, params=[documented.ordering(paging.BY_ID)]))
    def list(self, request: Request) -> Response:
        """Those that you manage; all, for who may read sources and connectors."""
        rows = self._readable()
        paging.check_params(request, ("ordering",))
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [showing.account_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Add a connector", NewConnector, Connector, tagged=False))
    def create(self, request: Request) -> Response:
        """Nothing is sent to the product before it is tested or used."""
        self.need("manage_connectors", _(NOT_YOURS))
        given = self.body(NewConnector)
        secrets = _texts(given.get("secrets", {}))

        def made() -> Response:
            account = _tried(
                given["kind"],
                lambda: actions.create_account(self.user, given["kind"], given["name"], given["settings"], secrets),
            )
            return Response(showing.account_dict(account), 201)

        return self.once(made)

    @extend_schema(**documented.read("Read a connector", Connector))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its health; without its secrets."""
        return read_facts(request, showing.account_dict(_one(self._readable(), id)), PASSING)

    @extend_schema(**documented.change("Change a connector", ConnectorChanges, Connector))
    def partial_update(self, request: Request, id: str) -> Response:
        """Another `url` or `proxy` removes the secrets that are not given with it."""
        account, given = self._account(id), self.body(ConnectorChanges)
        if "secrets" in given:
            given["secrets"] = _texts(given["secrets"])
        rows = ConnectorAccount.objects.filter(pk=account.pk)

        def act() -> ConnectorAccount:
            return _tried(account.kind, lambda: actions.update_account(self.user, account.pk, **given))

        changed = as_read(request, rows, showing.account_dict, act, PASSING)
        return with_facts(showing.account_dict(changed), passing=PASSING)

    @extend_schema(**documented.remove("Remove a connector", codes=(409,)))
    def destroy(self, request: Request, id: str) -> Response:
        """Its secrets are deleted and its name is free; what it did stays readable. 409 while something open uses it:
        `uses` says what, each with `text` and `url`."""
        self.need("manage_connectors", _(NOT_YOURS))
        try:
            rows = ConnectorAccount.objects.filter(pk=whole(id))
            as_read(request, rows, showing.account_dict, lambda: remove_account(self.user, whole(id)), PASSING)
        except NoConnector:
            raise NotFound from None
        except InUse as error:
            uses = [{"text": one.text, "url": f"{settings.SOAR_URL}{one.url}" if one.url else ""} for one in error.uses]
            raise Conflict(str(error), uses=uses) from None
        return Response(status=204)

    @extend_schema(**documented.verb("Test a connection", bodies.Nothing, ConnectorHealth, tagged=False, keyed=False))
    def test(self, request: Request, id: str) -> Response:
        """Makes a harmless call; a channel sends a test message. The result is kept as the connector's health."""
        account = self._account(id)
        self.body(bodies.Nothing)
        health = actions.test_account(self.user, account.pk)
        return Response(
            {"ok": health.ok, "message": health.message, "at": iso(health.at), "milliseconds": health.milliseconds}
        )

    def _managed(self) -> Any:
        """The accounts of this person. Raises PermissionDenied for who manages none; a token needs the scope."""
        if getattr(self.user, "token_scopes", None) is not None:
            self.need("manage_connectors", _(NOT_YOURS))
        rows = managed_by(self.user)
        if not self.user.has_perm("accounts.manage_connectors") and not rows.exists():
            raise PermissionDenied(_(NOT_YOURS))
        return rows

    def _readable(self) -> Any:
        return read_by(self.user) if may(self.user, "view_setup") else self._managed()

    def _account(self, id: str) -> ConnectorAccount:
        return _one(self._managed(), id)


def _one(accounts: Any, id: str) -> ConnectorAccount:
    found: ConnectorAccount | None = accounts.filter(pk=whole(id)).first()
    if found is None:
        raise NotFound
    return found


def _texts(secrets: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in secrets.items()}


def _tried(kind: str, act: Any) -> ConnectorAccount:
    try:
        done: ConnectorAccount = act()
    except Forbidden as error:
        raise PermissionDenied(str(error)) from None
    except NoConnector:
        raise NotFound from None
    except Refused as error:
        raise ValidationError({_place(kind, name): [text] for name, text in error.errors.items()}) from None
    return done


def _place(kind: str, name: str) -> str:
    """Where in the body the field stands."""
    if name in ("kind", "name"):
        return name
    secrets = {one.name for one in KINDS[kind].secrets} if kind in KINDS else set()
    return f"secrets.{name}" if name in secrets else f"settings.{name}"
