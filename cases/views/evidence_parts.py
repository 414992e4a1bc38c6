"""What pages show of evidence: the box of an incident, lines of lists, the custody of one piece."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Window
from django.utils.translation import gettext_lazy as _

from cases import timeline_read
from cases.choices import IncidentStatus
from cases.digests import value_digest
from cases.models import Evidence, Incident, Observable, TimelineEntry
from cases.restricted_views import note_rows
from cases.timeline_words import sentence
from soar.accounts.models import User
from soar.lib import parts

Context = dict[str, Any]
IN_BOX, IN_LIST, ELSEWHERE = 6, 500, 20
CUSTODY_SHOWN = 200
READ = {
    "viewed": _("looked at it"),
    "downloaded": _("downloaded it"),
    "downloaded_zip": _("downloaded it as a zip"),
}


def of_incident(user: User, incident: Incident) -> Context:
    """The newest pieces of the incident; whoever sees it sees them."""
    rows = Evidence.objects.kept().filter(incident=incident).order_by("-id")
    counted = rows.annotate(total=Window(Count("pk"))).only("name", "size", "tlp")
    shown: list[Any] = list(counted[:IN_BOX])
    total = shown[0].total if shown else 0
    return {
        "evidence": shown,
        "evidence_total": total,
        "evidence_more": total - len(shown),
        "evidence_open": IncidentStatus(incident.status).is_open,
    }


def lines(incident: Incident) -> list[Context]:
    """All pieces of an incident, the newest first, tombstones too."""
    rows = Evidence.objects.filter(incident=incident).order_by("-id")[:IN_LIST]
    return [line(piece) for piece in rows]


def line(piece: Evidence) -> Context:
    """A piece as a line of a list."""
    return {
        "piece": piece,
        "tlp": parts.tlp(piece.tlp),
        "who": piece.added_by_name,
        "age": parts.ago(piece.added_at, suffix=True),
    }


def same_elsewhere(user: User, piece: Evidence) -> list[Evidence]:
    """Pieces with the same bytes in other incidents that the person sees."""
    rows = Evidence.objects.visible_to(user).kept().filter(sha256=piece.sha256).exclude(incident=piece.incident_id)
    found = list(rows.select_related("incident").order_by("-id")[:ELSEWHERE])
    note_rows(user, [one.incident for one in found])
    return found


def known_as(piece: Evidence, user: User) -> Observable | None:
    """The observable of its SHA-256, if there is one that the person may know of."""
    return Observable.objects.visible_to(user).filter(type="sha256", digest=value_digest(piece.sha256)).first()


def custody(user: User, piece: Evidence) -> list[Context]:
    """Who had it in hands, the newest first: what timelines say of it, and who read it."""
    rows = sorted([*_told(user, piece), *_read(piece)], key=lambda row: row["moment"], reverse=True)
    joined: list[Context] = []
    for row in rows[:CUSTODY_SHOWN]:
        if joined and all(joined[-1][name] == row[name] for name in ("who", "what", "address")):
            joined[-1]["times"] += 1  # one person reading again and again is one line, with the newest time
        else:
            joined.append({**row, "at": parts.clock(row["moment"], True), "times": 1})
    return joined


def _told(user: User, piece: Evidence) -> list[Context]:
    rows = _entries(piece)
    timeline_read.tell_all(user, rows)
    return [
        {"moment": one.occurred_at, "who": one.actor_name, "what": sentence(one), "why": one.text, "address": ""}
        for one in rows
    ]


def _entries(piece: Evidence) -> list[TimelineEntry]:
    """Of the incident that it is in, and of those from which merges and splits brought it."""
    of_it = TimelineEntry.objects.filter(kind__startswith="evidence.", data__id=piece.pk).order_by("-id")
    places, found = [f"INC-{piece.incident_id}"], []
    for number in places:  # grows as long as an entry says that it came from elsewhere
        rows = list(of_it.filter(incident=int(number[4:]))[:CUSTODY_SHOWN])
        came = [str(row.data.get("from")) for row in rows if row.kind == "evidence.moved"]
        places += [one for one in dict.fromkeys(came) if one not in places]
        found += rows
    return found


def _read(piece: Evidence) -> list[Context]:
    return [
        {
            "moment": one.at,
            "who": one.actor_name,
            "what": READ.get(one.verb, one.verb),
            "why": "",
            "address": one.address,
        }
        for one in piece.accesses.order_by("-id")[:CUSTODY_SHOWN]
    ]
