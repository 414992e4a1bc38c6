"""Makes what administration of people keeps: a person beside the columns, what they hold, and rows of the audit log."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from cases.models import AlertSource, Incident
from playbooks.models import Playbook
from soar.accounts.actions.users import create_token
from soar.accounts.models import AuditEntry, GrantJob, LoginSession, Role, Team, User
from soar.connectors.models import ConnectorAccount
from tests.crossing.personas import Cast
from tests.factories import make_user


def of_people(cast: Cast, shown: dict[str, Any]) -> dict[str, Any]:
    """A guest who holds a grant on a thing of each kind; a team, a role, a key of the guest's and a session of the
    admin's."""
    admin, guest = cast.user("admin"), make_user("the-guest", "Viewer", teams=("Guests",))
    token, _ = create_token(guest, "guest", actor=admin)
    group = Group.objects.create(name="Helper")
    _grant(guest, shown)
    session = LoginSession.objects.create(user=admin, key="k" * 32, agent="Browser", address="192.0.2.1")
    return {
        "person": guest.pk,
        "person_token": token.pk,
        "team": Team.objects.get(name="Guests").pk,
        "role": Role.objects.create(group=group, description="Helps").pk,
        "session": session.pk,
        "key": Authenticator.objects.create(user=guest, type="webauthn", data={"name": "Key"}).pk,
        "audit_entry": AuditEntry.objects.order_by("pk")[0].pk,
        "grant": f"user-{guest.pk}",
        "incident_grant": f"user-{guest.pk}",
        "grant_job": _job(cast, guest, shown),
    }


def _grant(guest: User, shown: dict[str, Any]) -> None:
    assign_perm("view_incident", guest, Incident.objects.get(pk=_number(shown["incident"])))
    assign_perm("view_source", guest, AlertSource.objects.get(slug=shown["source"]))
    assign_perm("view_playbook", guest, Playbook.objects.get(pk=shown["playbook"]))
    assign_perm("use_connectoraccount", guest, ConnectorAccount.objects.get(pk=shown["account"]))


def _number(number: object) -> int:
    return int(str(number).rpartition("-")[2])


def _job(cast: Cast, guest: User, shown: dict[str, Any]) -> int:
    things = [_number(shown["incident"])]
    return GrantJob.objects.create(
        user=cast.user("admin"), kind="incidents", things=things, to_user=guest, level="view"
    ).pk
