"""Alerts made by hand (rulings 18): the page's form and ``POST /alerts/``."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.alert_update import tlp_of
from cases.actions.base import check_worker, person, tags_of, team_of, text_of, word
from cases.actions.observables import observable_of
from cases.actors import Actor
from cases.choices import Severity, Tlp
from cases.errors import Forbidden, Refused
from cases.ingest import asset_rows
from cases.ingest.assets import named
from cases.ingest.iocs import normalise_observable
from cases.models import Alert, AlertAsset, AlertObservable, AlertPayload, AlertSource
from soar.accounts.membership import may
from soar.lib import clock

HAND_SOURCE = "by-hand"
FIELDS = (
    "title", "description", "severity", "hostname", "username", "source_ip", "tags", "tlp", "owner", "team",
    "observables",
)  # fmt: skip


@transaction.atomic
def create_by_hand(actor: Actor, *, fields: dict[str, Any]) -> Alert:
    """Make an alert from a person's words. ``observables`` is a list of ``{"type", "value"}``.

    Raises Refused beside the field that is wrong, Forbidden without the permission to work on cases."""
    if actor.user is not None and not may(actor.user, "work_cases"):
        raise Forbidden(_("The permission to work on cases is missing."))
    for name in fields:
        if name not in FIELDS:
            raise Refused(
                _("%(name)s is not a field of an alert made by hand.") % {"name": f"{name!s:.40}"}, field=str(name)
            )
    owner = person(fields.get("owner"))
    check_worker(Alert(), owner)
    source = hand_source()
    now = clock.now()
    alert = Alert.objects.create(
        source=source,
        dedup_key="by hand",
        title=text_of(fields.get("title", ""), "title", most=500),
        description=text_of(fields.get("description") or "", "description", required=False),
        severity=word(Severity, fields.get("severity") or "medium", "severity"),
        owner=owner,
        team=team_of(fields.get("team")),
        tlp=tlp_of(fields.get("tlp") or Tlp.AMBER),
        tags=tags_of(fields.get("tags") or []),
        hostname=text_of(fields.get("hostname") or "", "hostname", most=255, required=False),
        username=text_of(fields.get("username") or "", "username", most=255, required=False),
        source_ip=_address(fields.get("source_ip") or ""),
        occurred_at=now,
        first_seen=now,
        last_seen=now,
        received_at=now,
        updated_at=now,
    )
    AlertPayload.objects.create(alert=alert, body="{}")
    _observables(alert, fields.get("observables") or [])
    _asset(alert)
    timeline.record("alert.opened", alert, actor, data={"source": source.name, "by_hand": True})
    return alert


def hand_source() -> AlertSource:
    """The source that alerts made by hand belong to; it has no token, so nothing can post to it."""
    source, _ = AlertSource.objects.get_or_create(
        slug=HAND_SOURCE, defaults={"name": "Made by hand", "kind": "generic"}
    )
    return source


def _address(value: Any) -> str:
    text = text_of(value, "source_ip", most=60, required=False)
    if not text:
        return ""
    try:
        return normalise_observable("ip", text)
    except ValueError as error:
        raise Refused(str(error), field="source_ip") from error


def _asset(alert: Alert) -> None:
    for pk in asset_rows.ids(named([{"name": alert.hostname}], []), alert.received_at).values():
        AlertAsset.objects.create(alert=alert, asset_id=pk)


def _observables(alert: Alert, given: Any) -> None:
    if not isinstance(given, list) or len(given) > 500:
        raise Refused(_("Observables are a list of at most 500 of {type, value}."), field="observables")
    links = {}
    for item in given:
        if not isinstance(item, dict):
            raise Refused(_("An observable is {type, value}."), field="observables")
        row = observable_of(str(item.get("type", "")), item.get("value"))
        links[row.pk] = AlertObservable(alert=alert, observable=row, role="added")
    if alert.source_ip:
        row = observable_of("ip", alert.source_ip)
        links[row.pk] = AlertObservable(alert=alert, observable=row, role="source_ip")
    AlertObservable.objects.bulk_create(links.values())
    alert.observable_count = len(links)
    alert.save(update_fields=["observable_count"])
