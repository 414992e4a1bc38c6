"""An incident as an event of MISP, in the JSON that MISP exports and imports (casework.md 16). Pure.

Ids follow from the portal's address and the incident's number: the same incident imported again updates its event.
The event is not published and for the own organisation only: whoever imports it decides who gets it."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from cases.attack.stored import catalog
from cases.reporting.misp_values import Value, value_of
from cases.reporting.notes import author_of, notes_of

Json = dict[str, Any]
THREAT_LEVELS = {"critical": "1", "high": "1", "medium": "2", "low": "3", "informational": "4"}
ANALYSIS = {"open": "0", "in_progress": "1", "contained": "1", "resolved": "2", "closed": "2"}
OWN_ORGANISATION, AS_THE_EVENT = "0", "5"
MALICIOUS = "highly_suspicious"
# Tags by which MISP decides who may have an event, and what it is: no tag of an incident may pass for one.
OURS = ("tlp:", "pap:", "misp-galaxy:")
# The template "file" of misp-objects.
FILE = {
    "name": "file",
    "meta-category": "file",
    "template_uuid": "688c46fb-5edb-40a3-8273-1af7923e2215",
    "template_version": "25",
    "description": "File object describing a file with meta-information",
}


def render(document: dict[str, Any], _progress: object = None) -> bytes:
    """The event in UTF-8."""
    return json.dumps(event(document), ensure_ascii=False, indent=1).encode() + b"\n"


def event(document: dict[str, Any]) -> Json:
    """``{"Event": ...}``."""
    made = _Event(document)
    incident = document["incident"]
    return {
        "Event": {
            "uuid": made.pk("event"),
            "info": f"{incident['number']}: {incident['title']}",
            "date": incident["created_at"][:10],
            "timestamp": seconds(incident["updated_at"]),
            "threat_level_id": THREAT_LEVELS[incident["severity"]],
            "analysis": ANALYSIS[incident["status"]],
            "distribution": OWN_ORGANISATION,
            "published": False,
            "Tag": [{"name": name} for name in _tags(document)],
            "Attribute": made.attributes(),
            "Object": made.files(),
            "EventReport": made.reports(),
        }
    }


def seconds(text: str) -> str:
    """A moment as MISP counts it: whole seconds since 1970, as text."""
    return str(int(datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).timestamp()))


class _Event:
    """The parts of the event of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def pk(self, *parts: object) -> str:
        """An id that is the same whenever this incident is taken out of this portal."""
        named = "/".join(map(str, ("misp", self.document["incident"]["number"], *parts)))
        return str(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, self.document["url"]), named))

    def attributes(self) -> list[Json]:
        """The observables; techniques are tags instead, and the incident's own page is a link."""
        incident = self.document["incident"]
        page = Value("link", "Internal reference", incident["url"])
        named = [self._attribute(page, "page", f"The incident in Soar ({incident['number']})", self._changed())]
        for one in self.document["observables"]:
            if value := value_of(one["type"], one["value"], one["roles"]):
                at = one["rated_at"] or one["added_at"] or one["created_at"] or incident["updated_at"]
                ids = value.detects and one["risk"] == MALICIOUS
                key = f"{one['type']}/{one['value']}"
                named.append(self._attribute(value, key, _comment(one), seconds(at), to_ids=ids))
        return named

    def files(self) -> list[Json]:
        """The evidence that is kept, each as a file object: what it is, not its bytes."""
        return [self._file(one) for one in self.document["evidence"] if not one.get("removed_at")]

    def reports(self) -> list[Json]:
        """The summary, and the notes in order, as Markdown."""
        made = []
        if summary := self.document["incident"]["summary"]:
            made.append(self._report("Summary", summary))
        notes = [f"**{author_of(entry)}**, {entry['occurred_at']}\n\n{text}" for entry, text in notes_of(self.document)]
        if notes:
            made.append(self._report("Notes", "\n\n---\n\n".join(notes)))
        return made

    def _attribute(self, value: Value, key: str, comment: str, at: str, *, to_ids: bool = False) -> Json:
        return {
            "uuid": self.pk("attribute", key),
            "type": value.type,
            "category": value.category,
            "value": value.value,
            "to_ids": to_ids,
            "comment": comment,
            "timestamp": at,
            "distribution": AS_THE_EVENT,
            "disable_correlation": False,
        }

    def _file(self, one: dict[str, Any]) -> Json:
        values = [
            ("filename", Value("filename", "Payload delivery", one["name"])),
            ("size-in-bytes", Value("size-in-bytes", "Other", str(one["size"]))),
            ("mimetype", Value("mime-type", "Artifacts dropped", one["content_type"])),
            *((name, Value(name, "Payload delivery", one[name])) for name in ("md5", "sha1", "sha256")),
        ]
        at = seconds(one["added_at"])
        parts = [
            {"object_relation": relation, **self._attribute(value, f"file/{one['id']}/{relation}", "", at)}
            for relation, value in values
        ]
        return {
            **FILE,
            "uuid": self.pk("file", one["id"]),
            "timestamp": at,
            "distribution": AS_THE_EVENT,
            "comment": one["description"] or f"Evidence {one['name']}",
            "Attribute": parts,
        }

    def _report(self, name: str, content: str) -> Json:
        report = {"uuid": self.pk("report", name), "name": name, "content": content, "distribution": AS_THE_EVENT}
        return {**report, "timestamp": self._changed()}

    def _changed(self) -> str:
        return seconds(self.document["incident"]["updated_at"])


def _comment(one: dict[str, Any]) -> str:
    where = ", ".join(one["alerts"][:20])
    return "; ".join(part for part in (f"risk: {one['risk']}", f"in {where}" if where else "") if part)


def _tags(document: dict[str, Any]) -> list[str]:
    incident = document["incident"]
    techniques = {*incident["techniques"], *(t for one in document["alerts"] for t in one["techniques"])}
    techniques |= {one["value"] for one in document["observables"] if one["type"] == "technique"}
    galaxy = [f'misp-galaxy:mitre-attack-pattern="{_technique(one)}"' for one in sorted(techniques)]
    marks = [f"tlp:{document['tlp']}", f"PAP:{incident['pap'].upper()}"]
    return list(dict.fromkeys([*marks, *galaxy, *map(_plain, incident["tags"])]))


def _plain(tag: str) -> str:
    """A tag of the incident; one that MISP would take for a mark says whose it is."""
    return f'soar:tag="{tag.replace(chr(34), chr(39))}"' if tag.strip().lower().startswith(OURS) else tag


def _technique(technique: str) -> str:
    """``Phishing - T1566``, as the galaxy names them; the id alone where the name is not known here."""
    found = catalog().get(technique)
    return f"{found.name} - {technique}" if found else technique
