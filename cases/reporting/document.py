"""An incident as one document of plain JSON: all that a person may see of it, at one moment. Exports are made of it.

The words are those of the API (contract.md), so what is read here can be found again there::

    {
      "format": "soar-incident", "version": 1,
      "generated_at": "2026-03-12T09:41:07.120000Z", "generated_by": {"username", "name"}, "url": the portal's,
      "options": {"template", "evidence", "notes", "observables", "tlp"},
      "tlp": the strictest mark of all that is inside: the mark of the whole,
      "left_out": {"alerts": n, "evidence": n, "entries": n, "notes": bool, "observables": bool, ...},  why: options
      "incident": as GET /incidents/{id}/ (number, title, summary (Markdown), severity, status, owners, servicenow ...),
      "owners": [{"username", "name", "lead"}],
      "status_history": [{"at", "from", "to", "actor", "reason"}],
      "fields": [{"key", "name", "kind", "value", "words"}], custom fields that have a value,
      "clocks": [{"name", "round", "target_minutes", "started_at", "due_at", "stopped_at", "seconds", "kept"}],
      "related": [{"incident", "relation", "title": null for one under a stricter mark}],
      "alerts": [as GET /alerts/{id}/ without runs: with observables and assets; for formats with payloads also
                 "raw": {"first", "latest", "latest_at"}, null for one that has none or that is left out],
      "observables": [{"id", "url", "type", "value", "risk", "rating", "rated_at", "created_at",
                       "alerts": ["ALR-7"], "roles": [...], "added_by": name or null, "added_at"}],
      "assets": [{"id", "name", "type", "system", "addresses", "groups", "criticality", "tags", "alerts": ["ALR-7"],
                  "added_by": name or null}],
      "evidence": [as GET /evidence/{id}/; removed pieces too, with removed_at],
      "tasks": [as GET /tasks/{id}/, in the order of the checklist],
      "timeline": [as GET .../timeline/, oldest first: every entry of the incident's own chain, of those of its alerts
                   and of what was merged into it, so that chains can be verified; besides
                   "actor": {"type", "id", "name"}, "label", "group" (timeline_kinds), "note": bool,
                   "sentence": what happened in words, plain text without the actor,
                   "joined": whether it stands in the stream that the page shows],
      "chains": [{"subject": "INC-3", "count", "head": hex or null}],
      "runs", "responses": as the API's, of the incident and these alerts (playbooks.exporting), and whatever else
          settings.EXPORT_PARTS add
    }

An entry from which something was taken out names it in ``data["hidden"]``; its hash is still that of the whole entry,
so its own hash cannot be recomputed, but the chain through it can be followed. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from cases.api.incident_representation import evidence_dict, task_dict
from cases.api.representation import alert_dict, incident_dict, observables_of
from cases.errors import Forbidden, Missing
from cases.merged import absorbed
from cases.models import Alert, Evidence, Incident, IncidentOwner, IncidentTask
from cases.permissions import incident_for
from cases.reporting import beside, payloads
from cases.reporting.items import assets, observables
from cases.reporting.options import Options, highest
from cases.reporting.stream import Stream
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.clock import iso
from soar.lib.snapshot import snapshot

Document = dict[str, Any]
VERSION = 1
PERMISSION = "export"


def exportable(user: User, number: str | int) -> Incident:
    """The incident, for somebody who may see it and export. Raises Missing or Forbidden."""
    incident = incident_for(user, number)
    if not may(user, PERMISSION):
        raise Forbidden(_("The permission to export is missing."))
    return incident


def document(user: User, number: str | int, options: Options | None = None, *, raw: bool = False) -> Document:
    """The incident as this person may see it, with what ``options`` want of it; see above for its shape. ``raw``: with
    the payloads of its alerts.

    Raises Missing, Forbidden, and Refused for an incident above the TLP that was given."""
    wanted = options or Options()
    asked = exportable(user, number)  # outside: it notes who looks at a restricted incident
    with snapshot():
        incident = Incident.objects.visible_to(user).filter(pk=asked.pk).first()
        if incident is None:
            raise Missing(_("There is no incident %(number)s.") % {"number": f"{number!s:.40}"})
        wanted.check(incident)
        read = _read(user, incident, wanted)
        if raw:
            payloads.put(read, named=wanted.observables)
        return read


def _read(user: User, incident: Incident, options: Options) -> Document:
    every = list(
        Alert.objects.filter(incident=incident).select_related("source", "owner", "team", "incident").order_by("pk")
    )
    alerts = [alert for alert in every if options.within(alert.tlp)]
    pieces = list(Evidence.objects.filter(incident=incident).order_by("pk")) if options.evidence else []
    evidence = [piece for piece in pieces if options.within(piece.tlp)]
    stream = Stream(user, incident, alerts, options)
    behind = Evidence.objects.filter(incident__in=absorbed(incident)) if options.evidence else []
    stream.withhold(
        alerts=[alert for alert in every if alert not in alerts],
        evidence=[piece for piece in [*pieces, *behind] if not options.within(piece.tlp)],
    )
    tasks = IncidentTask.objects.filter(incident=incident).select_related("assignee")
    return {
        "format": "soar-incident",
        "version": VERSION,
        "generated_at": iso(clock.now()),
        "generated_by": {"username": user.username, "name": user.display_name()},
        "url": settings.SOAR_URL,
        "options": options.as_dict(),
        "tlp": highest([incident.tlp, *(one.tlp for one in alerts), *(one.tlp for one in evidence)]),
        "left_out": {
            "alerts": len(every) - len(alerts),
            "evidence": len(pieces) - len(evidence),
            "entries": stream.withheld,
            "evidence_list": not options.evidence,
            "notes": not options.notes,
            "observables": not options.observables,
        },
        "incident": incident_dict(incident) | {"alert_count": len(alerts)},
        "owners": _owners(incident),
        "status_history": stream.status_history(),
        "fields": beside.fields(incident),
        "clocks": beside.clocks(incident),
        "related": beside.related(user, incident, options),
        "alerts": _alerts(incident, alerts, options),
        "observables": observables(user, incident, alerts) if options.observables else [],
        "assets": assets(incident, alerts),
        "evidence": [evidence_dict(piece) for piece in evidence],
        "tasks": [task_dict(task) for task in tasks],
        "timeline": stream.entries(),
        "chains": stream.chains(),
        **_parts(user, incident, alerts),
    }


def _alerts(incident: Incident, alerts: list[Alert], options: Options) -> list[dict[str, Any]]:
    """Without their runs: those are told once, by the part that knows of them."""
    named = observables_of([alert.pk for alert in alerts]) if options.observables else {}
    told = [
        alert_dict(alert, incident=incident.number, observables=named.get(alert.pk, []), runs=[]) for alert in alerts
    ]
    if not options.observables:
        told = [one | {"source_ip": "", "assets": [_plain_asset(asset) for asset in one["assets"]]} for one in told]
    return [{key: value for key, value in one.items() if key != "runs"} for one in told]


def _plain_asset(asset: Any) -> Any:
    """An asset of an alert without the observables that its source told with it."""
    return {key: asset[key] for key in asset if key != "observables"} if isinstance(asset, dict) else asset


def _owners(incident: Incident) -> list[dict[str, Any]]:
    rows = IncidentOwner.objects.filter(incident=incident).select_related("user")
    return [{"username": row.user.username, "name": row.user.display_name(), "lead": row.lead} for row in rows]


def _parts(user: User, incident: Incident, alerts: list[Alert]) -> dict[str, Any]:
    """What others add to the document (settings.EXPORT_PARTS): functions (user, incident, alerts) -> {name: JSON}."""
    found: dict[str, Any] = {}
    for name in settings.EXPORT_PARTS:
        found |= import_string(name)(user, incident, [alert.pk for alert in alerts])
    return found
