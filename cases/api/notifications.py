"""The caller's inbox, what they chose to be told, and what they follow or muted (casework.md 19)."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import notifications as actions
from cases.api import documented, paging
from cases.api import notification_shapes as shapes
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.errors import Refused
from cases.models import Channel, NotificationSettings
from cases.notifications import choices, inbox, wording
from cases.notifications.reasons import REASONS
from cases.permissions import alert_for, incident_for
from cases.timeline import Subject
from soar.connectors import personal
from soar.lib.clock import iso

UNREAD = OpenApiParameter("unread", str, enum=["true", "false"])
REASON = OpenApiParameter("reason", str, enum=list(REASONS))


class Notifications(ApiViewSet):
    """``/notifications/``: always those of the caller, of what they see now."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List my notifications",
            shapes.NOTIFICATION_PAGE,
            params=[UNREAD, REASON, documented.ordering(paging.BY_ID)],
        )
    )
    def list(self, request: Request) -> Response:
        """All, or those that are (not) read, or of one reason."""
        paging.check_params(request, ("unread", "reason", "ordering"))
        rows = inbox.listed(self.user)
        if unread := _word(request, "unread", ("true", "false")):
            rows = rows.filter(read_at__isnull=unread == "true")
        if reason := _word(request, "reason", tuple(REASONS)):
            rows = rows.filter(reason=reason)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [_dict(one) for one in wording.read(self.user, found.rows)]))

    @extend_schema(**documented.read("Read a notification", shapes.NotificationRow, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """One; it stays unread by that."""
        (line,) = wording.read(self.user, [actions.notification_for(self.user, whole(id))])
        return Response(_dict(line))

    @extend_schema(
        **documented.verb("Mark notifications as read", shapes.MarkNotifications, shapes.Marked, tagged=False)
    )
    def mark_read(self, request: Request) -> Response:
        """By their ids, or all up to one."""
        given = self.body(shapes.MarkNotifications)
        if ("ids" in given) == ("up_to" in given):
            raise ValidationError({"ids": [_("Give either ids or up_to.")]})
        user = self.user
        if "up_to" in given:
            return self.once(lambda: Response({"changed": actions.mark_all(user, up_to=given["up_to"])}))
        return self.once(lambda: Response({"changed": actions.mark(user, given["ids"], read=True)}))

    @extend_schema(**documented.verb("Mark notifications as unread", shapes.MarkUnread, shapes.Marked, tagged=False))
    def mark_unread(self, request: Request) -> Response:
        """By their ids."""
        ids, user = self.body(shapes.MarkUnread)["ids"], self.user
        return self.once(lambda: Response({"changed": actions.mark(user, ids, read=False)}))


class NotificationChoices(ApiViewSet):
    """``/notification-settings/``: those of the caller."""

    reads = "view_cases"

    @extend_schema(**documented.read("Read my notification settings", shapes.NotificationSettingsShape))
    def retrieve(self, request: Request) -> Response:
        """All reasons, with what holds for each."""
        return read(request, _settings(choices.settings_of(self.user.pk)))

    @extend_schema(
        **documented.change(
            "Change my notification settings", shapes.NotificationSettingsChanges, shapes.NotificationSettingsShape
        )
    )
    def partial_update(self, request: Request) -> Response:
        """Of `choices` only the reasons and channels that are given change."""
        given, expected = self.body(shapes.NotificationSettingsChanges, partial=True), expected_version(request)
        row = actions.save_settings(self.user, _changes(given), expected_version=expected)
        return tagged(_settings(row))


class Watching(ApiViewSet):
    """``/incidents/{id}/watch/`` and ``/alerts/{id}/watch/``: what the caller hears of it."""

    reads = "view_cases"

    @extend_schema(**documented.read("What I am told of an incident", shapes.WatchShape, tagged=False))
    def incident(self, request: Request, id: str) -> Response:
        """follow, mute, or none."""
        return self._read(incident_for(self.user, id))

    @extend_schema(**documented.verb("Follow or mute an incident", shapes.SetWatch, shapes.WatchShape, tagged=False))
    def watch_incident(self, request: Request, id: str) -> Response:
        """For good, or a mute until a moment."""
        return self._set(incident_for(self.user, id))

    @extend_schema(**documented.read("What I am told of an alert", shapes.WatchShape, tagged=False))
    def alert(self, request: Request, id: str) -> Response:
        """mute, or none."""
        return self._read(alert_for(self.user, id))

    @extend_schema(**documented.verb("Mute an alert", shapes.SetWatch, shapes.WatchShape, tagged=False))
    def watch_alert(self, request: Request, id: str) -> Response:
        """For good, or until a moment. An alert cannot be followed."""
        return self._set(alert_for(self.user, id))

    def _read(self, subject: Subject) -> Response:
        row = actions.watched(self.user, subject)
        state = actions.NOTHING if row is None else actions.MUTE if row.muted else actions.FOLLOW
        return Response({"number": subject.number, "state": state, "until": iso(row.until) if row else None})

    def _set(self, subject: Subject) -> Response:
        given = self.body(shapes.SetWatch)

        def run() -> Response:
            actions.watch(self.user, subject, given["state"], until=given.get("until"))
            return self._read(subject)

        return self.once(run)


def _word(request: Request, name: str, words: tuple[str, ...]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in words:
        raise ValidationError({name: [_("One of: %(words)s.") % {"words": ", ".join(words)}]})
    return value


def _dict(line: wording.Line) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.pk,
        "url": wording.page_of(line),
        "reason": row.reason,
        "kind": row.kind,
        "number": line.subject.number if line.subject else None,
        "title": line.heading,
        "count": line.count,
        "entry": row.entry if line.subject else None,
        "actor": line.actor,
        "text": line.sentence,
        "excerpt": line.excerpt,
        "created_at": iso(row.created_at),
        "at": iso(row.at),
        "read_at": iso(row.read_at),
    }


def _settings(row: NotificationSettings) -> dict[str, Any]:
    names = ("digest_hour", "workdays_only", "chat_way", "chat_handle", "chat_kind", "version")
    told = {
        name: {
            choices.INBOX: choices.in_inbox(row, name),
            **{channel: choices.mode_of(row, name, channel) for channel in Channel.values},
        }
        for name in REASONS
    }
    return {
        "choices": told,
        **{name: getattr(row, name) for name in names},
        "quiet_from": _clock(row.quiet_from),
        "quiet_until": _clock(row.quiet_until),
        "paused_until": iso(row.paused_until),
        "chat_account": row.chat_account_id,
        "has_chat_url": bool(row.chat_url),
    }


def _clock(value: time | None) -> str | None:
    return value.strftime("%H:%M") if value else None


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """What was given as the action takes it. Raises Refused for a connector that is none of those there are."""
    changes = dict(given)
    for name in ("quiet_from", "quiet_until"):
        if changes.get(name):
            changes[name] = time.fromisoformat(changes[name])
    if changes.get("chat_account"):
        found = next((one for one in personal.direct_accounts() if one.pk == changes["chat_account"]), None)
        if found is None:
            raise Refused(_("There is no such connector, or it writes to no single person."), field="chat_account")
        changes["chat_account"] = found
    if "choices" in changes:
        changes["choices"] = {name: dict(own) for name, own in changes["choices"].items()}
    return changes
