"""Alerts or incidents of Microsoft Defender XDR and what reports to it, read by the time of their last change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.errors import ConnectorError
from soar.connectors.kinds import Kind, Setting
from soar.connectors.microsoft.signing_in import SECRETS, SETTINGS, rules
from soar.connectors.microsoft_graph.client import Api
from soar.connectors.reader import READ
from soar.lib import clock

ALERTS, INCIDENTS = "alerts", "incidents"
PATHS = {ALERTS: "v1.0/security/alerts_v2", INCIDENTS: "v1.0/security/incidents"}
SIZES = {ALERTS: 100, INCIDENTS: 50}  # of a page; no more incidents are given at once
TIME = "%Y-%m-%dT%H:%M:%SZ"
LOOKS = 6  # at a list that changes while it is read
JUST_NOW = timedelta(seconds=30)


class MicrosoftGraph(Api):
    """The list is in no promised order and moves when one of its members changes: what stood on a page not yet read may
    slip onto one that was. So a list of several pages is looked at again until a look brings nothing new."""

    kind = "microsoft_graph"

    def check(self) -> str:
        """Sign in and read one. Raises ConnectorError."""
        what = self._what()
        for _page in self.pages("test", PATHS[what], {}, 1):
            break
        return f"Microsoft Graph takes the credentials and shows the {what}."

    def subject(self) -> str:
        """See AlertReader."""
        settings = self.account.settings
        return f"{settings.get('url')} {settings.get('tenant')} {self._what()}"

    def alert_pages(self, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        """See TimeReader."""
        what, seen = self._what(), set[tuple[str, str]]()
        params = {"$filter": _changed(start, end)}
        if what == INCIDENTS:
            params["$expand"] = "alerts"
        for look in range(LOOKS):
            pages = fresh = 0
            for page in self.pages(READ, PATHS[what], params, SIZES[what]):
                names = {self.identify(one) for one in page} - seen
                pages, fresh = pages + 1, fresh + len(names)
                seen |= names
                yield page
            if pages == 1 or (look and not fresh):
                return
        raise ConnectorError("The list of Microsoft Graph changes faster than it can be read.", permanent=False)

    def identify(self, item: dict[str, Any]) -> tuple[str, str]:
        """See TimeReader."""
        identity = item.get("id")
        if isinstance(identity, int) and not isinstance(identity, bool):
            identity = str(identity)
        if not isinstance(identity, str) or not identity:
            return "", ""
        when = item.get("lastUpdateDateTime") or item.get("createdDateTime") or ""
        return identity[:300], f"{when!s:.30} {_print(item)}"

    def _what(self) -> str:
        what = str(self.account.settings.get("what") or ALERTS)
        return what if what in PATHS else ALERTS


def _changed(start: datetime, end: datetime) -> str:
    """The filter. Up to now there is no end: their clock may be ahead of ours, and what is changed right now is news.
    A stretch of the past has one, so that no list is longer than a day."""
    since = f"lastUpdateDateTime ge {start.strftime(TIME)}"
    return since if clock.now() - end < JUST_NOW else f"{since} and lastUpdateDateTime le {end.strftime(TIME)}"


def _print(item: dict[str, Any]) -> str:
    """Eight letters that differ when something changed that the time of the last change does not tell."""
    alerts = [one for one in item.get("alerts") or [] if isinstance(one, dict)]
    told = [item.get(name) for name in ("status", "classification", "determination", "severity", "redirectIncidentId")]
    told += [_length(item.get("evidence")), *(f"{one.get('id')} {one.get('lastUpdateDateTime')}" for one in alerts)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


KIND = Kind(
    name="microsoft_graph",
    label=_("Microsoft Graph security"),
    connector=MicrosoftGraph,
    summary=_("Alerts to read"),
    address=Setting("url", _("Address of Graph"), form="url", required=True, default="https://graph.microsoft.com"),
    settings=(
        *SETTINGS,
        Setting("what", _("What is read"), form="choice", choices=(ALERTS, INCIDENTS), default=ALERTS),
    ),
    secrets=SECRETS,
    rules=rules,
)
