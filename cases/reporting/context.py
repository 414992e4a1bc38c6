"""What a report template is given: the document as plain dictionaries with texts made ready for a page.

Names that end in ``_html`` are safe HTML, made of Markdown; a template writes them with ``|safe``. Everything else is
plain text, which the engine escapes. docs/admins.md lists the names.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from cases.choices import Findings, Tlp
from cases.reporting.options import RANK
from cases.reporting.words import cut, label, moment, rich, size
from cases.timeline_times import moved
from soar.lib.text import defang, span_words

Context = dict[str, Any]
Rows = list[dict[str, Any]]
TIMES = ("created_at", "updated_at", "contained_at", "resolved_at", "closed_at")
ALERT_TIMES = ("occurred_at", "first_seen", "last_seen", "received_at", "resolved_at")
LEFT_OBSERVABLES = "observables (titles, texts, assets, tickets and responses may still name some)"
NAMED_AT_MOST = 10  # numbers of alerts written out beside an observable or asset


def context_of(document: dict[str, Any], title: str) -> Context:
    """For the engine: plain JSON."""
    incident = document["incident"]
    timeline = _timeline(document["timeline"])
    return {
        "report": {
            "title": title,
            "tlp": tlp_label(document["tlp"]),
            "generated_at": moment(document["generated_at"]),
            "generated_by": cut(document["generated_by"]["name"]),
            "portal": document["url"],
            "left_out": left_out(document["left_out"]),
            "chain": [one for one in document["chains"] if one["subject"] == incident["number"]],
        },
        "incident": _incident(incident),
        "owners": [{**one, "name": cut(one["name"])} for one in document["owners"]],
        "status_history": [
            {
                "at": moment(one["at"]),
                "from": label(one["from"]),
                "to": label(one["to"]),
                "actor": cut(one["actor"]),
                "reason": cut(one["reason"]),
            }
            for one in document["status_history"]
        ],
        "alerts": [_alert(one) for one in document["alerts"]],
        "observables": [_observable(one) for one in document["observables"]],
        "assets": [_asset(one) for one in document["assets"]],
        "evidence": [_piece(one) for one in document["evidence"]],
        "tasks": [_task(one) for one in document["tasks"]],
        "timeline": timeline,
        "notes": [one for one in timeline if one["note"]],
        "runs": [_run(one) for one in document.get("runs", [])],
        "responses": [_response(one) for one in document.get("responses", [])],
        "fields": [{"name": cut(one["name"]), "value": cut(one["words"])} for one in document.get("fields", [])],
        "clocks": [_clock(one) for one in document.get("clocks", [])],
        "related": [
            {"number": one["incident"], "relation": label(one["relation"]), "title": cut(one["title"])}
            for one in document.get("related", [])
        ],
    }


def tlp_label(tlp: str) -> str:
    """``amber+strict`` as ``TLP:AMBER+STRICT``; what is not known is red."""
    return str(Tlp(tlp).label if tlp in RANK else Tlp.RED.label)


def left_out(counts: dict[str, Any]) -> list[str]:
    """Sentences on what the options have kept out of the report."""
    told = []
    for name, words in (
        ("alerts", "alert(s) above the TLP limit"),
        ("evidence", "piece(s) of evidence above it"),
        ("raw", "payload(s) of alerts"),
    ):
        if counts.get(name):
            told.append(f"{counts[name]} {words}")
    if counts.get("entries"):
        told.append(f"the text of {counts['entries']} timeline entries")
    flags = {"evidence_list": "the list of evidence", "notes": "notes", "observables": LEFT_OBSERVABLES}
    return told + [words for name, words in flags.items() if counts.get(name)]


def _incident(one: dict[str, Any]) -> dict[str, Any]:
    findings = one.get("findings") or ""
    return {
        "number": one["number"],
        "url": one["url"],
        "title": cut(one["title"]),
        "summary": cut(one["summary"]),
        "summary_html": rich(one["summary"]),
        "severity": one["severity"],
        "severity_label": label(one["severity"]),
        "status": one["status"],
        "status_label": label(one["status"]),
        "determination": one["determination"],
        "determination_label": label(one["determination"]),
        "findings": str(Findings(findings).label) if findings in Findings.values and findings else "",
        "resolve_reason": cut(one["resolve_reason"]),
        "team": cut(one["team"] or ""),
        "tlp": tlp_label(one["tlp"]),
        "pap": f"PAP:{str(one['pap']).upper()}",
        "tags": [cut(tag) for tag in one["tags"]],
        "techniques": [cut(technique) for technique in one["techniques"]],
        "template": cut(one["template"] or ""),
        "opened_by": cut(one["opened_by"]),
        "restricted": one["restricted"],
        "alert_count": one["alert_count"],
        "tickets": [{"number": cut(two["number"]), "state": label(two["state"])} for two in one["servicenow"]],
        **{name: moment(one[name]) for name in TIMES},
    }


def _alert(one: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: cut(one[name]) for name in ("number", "source", "detection_model", "hostname", "username")},
        **{name: moment(one[name]) for name in ALERT_TIMES},
        "title": cut(one["title"]),
        "description": cut(one["description"]),
        "severity": one["severity"],
        "severity_label": label(one["severity"]),
        "status_label": label(one["status"]),
        "determination_label": label(one["determination"]),
        "owner": cut(one["owner"]),
        "count": one["count"],
        "tlp": tlp_label(one["tlp"]),
        "source_ip": defang(cut(one["source_ip"]), "ip"),
        "techniques": [cut(technique) for technique in one["techniques"]],
        "observable_count": len(one["observables"]),
    }


def _observable(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": one["type"],
        "value": defang(cut(one["value"]), one["type"]),
        "risk": one["risk"],
        "risk_label": label(one["risk"]),
        "alerts": one["alerts"][:NAMED_AT_MOST],
        "alert_count": len(one["alerts"]),
        "added_by": cut(one["added_by"]),
    }


def _asset(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": cut(one["name"]),
        "type": cut(one["type"]),
        "system": cut(one["system"]),
        "addresses": [defang(cut(address), "ip") for address in one["addresses"][:NAMED_AT_MOST]],
        "groups": [cut(group) for group in one["groups"]],
        "criticality_label": label(one["criticality"]) if one["criticality"] != "unknown" else "",
        "alert_count": len(one["alerts"]),
    }


def _piece(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": cut(one["name"]),
        "description": cut(one["description"]),
        "tlp": tlp_label(one["tlp"]),
        "size": size(one["size"]),
        "content_type": cut(one["content_type"]),
        **{name: one[name] for name in ("md5", "sha1", "sha256")},
        "added_by": cut(one["added_by"]),
        "added_at": moment(one["added_at"]),
        "removed_by": cut(one["removed_by"]),
        "removed_at": moment(one["removed_at"]),
        "remove_reason": cut(one["remove_reason"]),
    }


def _clock(one: dict[str, Any]) -> dict[str, Any]:
    outcome = {True: "in time", False: "late", None: ""}[one["kept"]]
    return {
        "label": label(one["name"]),
        "round": one["round"],
        "target": span_words(one["target_minutes"] * 60) if one["target_minutes"] else "",
        "took": span_words(one["seconds"]) if one["seconds"] is not None else "",
        "outcome": outcome,
        **{name: moment(one[name]) for name in ("started_at", "due_at", "stopped_at")},
    }


def _task(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "position": one["position"],
        "title": cut(one["title"]),
        "description_html": rich(one["description"]),
        "done": one["status"] == "done",
        "required": one["required"],
        "assignee": cut(one["assignee"]),
        "due_at": moment(one["due_at"]),
        "done_by": cut(one["done_by"]),
        "done_at": moment(one["done_at"]),
    }


def _timeline(entries: Rows) -> Rows:
    """The stream that the page shows: notes in their newest wording, corrections not told apart."""
    edits: dict[int, Rows] = defaultdict(list)
    for entry in entries:
        if entry["kind"] == "comment.edited":
            edits[entry["data"].get("of", 0)].append(entry)
    shown = [entry for entry in entries if entry["joined"] and entry["kind"] != "comment.edited"]
    newer = {entry["id"]: _newer(entry, edits) for entry in shown}
    shown.sort(key=lambda one: (_times(one, newer[one["id"]])[-1], one["id"]))
    return [_entry(entry, newer[entry["id"]]) for entry in shown]


def _newer(entry: dict[str, Any], edits: dict[int, Rows]) -> Rows:
    """The corrections of a note, the oldest first; of a moved one those since it was moved."""
    of = entry["data"].get("entry", 0) if entry["kind"] == "note.moved" else entry["id"]
    return [one for one in edits.get(of, []) if one["id"] > entry["id"]] if entry["note"] else []


def _times(entry: dict[str, Any], newer: Rows) -> list[str]:
    """When it happened, as it was said first and corrected since."""
    return [entry["occurred_at"], *(one["occurred_at"] for one in newer if moved(one["kind"], one["data"]))]


def _entry(entry: dict[str, Any], newer: Rows) -> dict[str, Any]:
    data = entry["data"]
    text = newer[-1]["text"] if newer else entry["text"]
    (*before, occurred), recorded = map(moment, _times(entry, newer)), moment(entry["recorded_at"])
    return {
        "id": entry["id"],
        "at": occurred,
        "recorded_at": recorded if recorded != occurred else "",
        "was_at": before,
        "actor": cut(data.get("author") or entry["actor"]["name"]),
        "sentence": cut(entry["sentence"]),
        "subject": entry["subject"],
        "kind": entry["kind"],
        "group": entry["group"],
        "note": entry["note"],
        "edited": bool(newer),
        "text": "" if entry["note"] else cut(text),
        "words": cut(text) if entry["note"] else "",
        "text_html": rich(text) if entry["note"] else "",
        "hash": entry["hash"],
    }


def _run(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "playbook": cut(one["playbook"]["name"]),
        "status": one["status"],
        "status_label": label(one["status"]),
        "subject": one["alert"] or one["incident"] or "",
        "started_at": moment(one["started_at"]),
        "finished_at": moment(one["finished_at"]),
        "started_by": cut(one["started_by"]),
        "dry_run": one["dry_run"],
        "error": cut(one["error"]),
    }


def _response(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "label": cut(one["label"]),
        "target": defang(cut(one["target"]["value"]), one["target"]["kind"]),
        "target_kind": label(one["target"]["kind"]),
        "status": one["status"],
        "status_label": label(one["status"]),
        "connector": cut(one["connector"]),
        "created_by": cut(one["created_by"]),
        "created_at": moment(one["created_at"]),
        "finished_at": moment(one["finished_at"]),
        "message": cut(one["message"]),
        "dry_run": one["dry_run"],
    }
