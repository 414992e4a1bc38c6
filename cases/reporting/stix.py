"""An incident as a bundle of STIX 2.1 (casework.md 16).

    identity (this portal), incident, report over all of it
    observed-data for each alert with observables, for what was put on the incident and for each file of evidence; their
    cyber observable objects
    indicator, based on what was observed, and a sighting for each observable rated highly suspicious
    attack-pattern for each technique, vulnerability for each CVE, identity (system) for each asset
    note for each note of the timeline and for the title and description of each alert

Ids follow from the portal's address and the incident's number, so that the same incident taken out later replaces what
a platform has of it. Everything bears the strictest TLP of the whole. Pure: a document in, JSON out."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from cases.attack.stored import catalog
from cases.reporting.notes import author_of, notes_of
from cases.reporting.stix_marks import marking
from cases.reporting.stix_observables import file_of, objects_of, pattern_of

Object = dict[str, Any]
MALICIOUS = "highly_suspicious"
MOST_COUNTED = 999_999_999
ATTACK = "https://attack.mitre.org/techniques/"
MALICIOUS_CONFIDENCE = 85


def render(document: dict[str, Any], _progress: object = None) -> bytes:
    """The bundle in UTF-8."""
    return json.dumps(bundle(document), ensure_ascii=False, indent=1).encode() + b"\n"


def bundle(document: dict[str, Any]) -> Object:
    """The bundle as JSON."""
    made = _Bundle(document)
    return {"type": "bundle", "id": made.pk("bundle", document["generated_at"]), "objects": made.objects()}


def moment(text: str) -> str:
    """ISO 8601 with milliseconds, as STIX writes times."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class _Bundle:
    """Objects by their id, in the order in which they were made."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.incident: dict[str, Any] = document["incident"]
        self.mark = marking(document["tlp"])
        self.created = moment(self.incident["created_at"])
        self.modified = max(self.created, moment(self.incident["updated_at"]))
        self.found: dict[str, Object] = {}
        self.by_value: dict[tuple[str, str], str] = {}

    def pk(self, type_: str, *parts: object) -> str:
        """An id that is the same whenever this incident is taken out of this portal, in the form of a random UUID:
        version 5 is for cyber observable objects (STIX 2.1, 2.9)."""
        named = json.dumps([self.document["url"], self.incident["number"], type_, *map(str, parts)])
        return f"{type_}--{uuid.UUID(bytes=hashlib.sha256(named.encode()).digest()[:16], version=4)}"

    def objects(self) -> list[Object]:
        """All of them; the report last, because it names the others."""
        self._identity()
        self._incident()
        for one in self.document["observables"]:
            self._observable(one)
        seen = {alert["number"]: self._observed(alert) for alert in self.document["alerts"]}
        self._own()
        for piece in self.document["evidence"]:
            self._piece(piece)
        for one in self.document["observables"]:
            self._indicator(one, seen)
        for technique in _techniques(self.document):
            self._technique(technique)
        for asset in self.document["assets"]:
            self._asset(asset)
        self._notes()
        self._report()
        return [self.mark, *self.found.values()]

    def add(self, type_: str, *key: object, created: str = "", **more: Any) -> str:
        """Put in a domain or relationship object and return its id."""
        made = created or self.created
        pk = self.pk(type_, *key)
        self.found[pk] = {
            "type": type_,
            "spec_version": "2.1",
            "id": pk,
            **({} if type_ == "identity" and key == ("portal",) else {"created_by_ref": self.pk("identity", "portal")}),
            "created": made,
            "modified": max(made, self.modified),
            **{name: value for name, value in more.items() if value not in (None, "", [])},
            "object_marking_refs": [self.mark["id"]],
        }
        return pk

    def relate(self, source: str, verb: str, target: str) -> None:
        """A relationship."""
        self.add("relationship", source, verb, target, relationship_type=verb, source_ref=source, target_ref=target)

    def _identity(self) -> None:
        self.add("identity", "portal", name=f"Soar ({self.document['url']})", identity_class="system")

    def _incident(self) -> None:
        about = {"source_name": "Soar", "external_id": self.incident["number"], "url": self.incident["url"]}
        self.case_name = f"{self.incident['number']}: {self.incident['title']}"
        self.case = self.add(
            "incident",
            name=self.incident["title"],
            description=self.incident["summary"],
            labels=self.incident["tags"],
            external_references=[about],
        )

    def _observable(self, one: dict[str, Any]) -> None:
        kind, value = one["type"], one["value"]
        if kind == "cve":
            about = {"source_name": "cve", "external_id": value}
            self.relate(
                self.case, "related-to", self.add("vulnerability", value, name=value, external_references=[about])
            )
        for made in objects_of(kind, value):
            self.found[made["id"]] = {**made, "object_marking_refs": [self.mark["id"]]}
            self.by_value[kind, value] = made["id"]

    def _observed(self, alert: dict[str, Any]) -> str:
        refs = [self.by_value.get((one["type"], one["value"])) for one in alert["observables"]]
        first = moment(alert["first_seen"] or alert["occurred_at"])
        last = max(first, moment(alert["last_seen"] or alert["occurred_at"]))
        found = self._data(alert["number"], refs, first, last, alert["count"])
        words = "\n\n".join(filter(None, (f"{alert['number']}: {alert['title']}", alert["description"])))
        self._note(alert["number"], words, first, alert["source"], about=found or self.case)
        return found

    def _piece(self, piece: dict[str, Any]) -> None:
        """A file of evidence that is kept: name, size and hashes, not the bytes."""
        if not piece["removed_at"]:
            file = {**file_of(piece), "object_marking_refs": [self.mark["id"]]}
            self.found[file["id"]] = file
            added = moment(piece["added_at"])
            self._data(f"evidence {piece['id']}", [file["id"]], added, added, 1)

    def _own(self) -> None:
        own = [one for one in self.document["observables"] if one["added_by"]]
        refs = [self.by_value.get((one["type"], one["value"])) for one in own]
        self._data(self.incident["number"], refs, self.created, self.modified, 1)

    def _data(self, key: str, refs: list[str | None], first: str, last: str, count: int) -> str:
        wanted = sorted({ref for ref in refs if ref})
        if not wanted:
            return ""
        number = min(max(count, 1), MOST_COUNTED)
        return self.add(
            "observed-data", key, first_observed=first, last_observed=last, number_observed=number, object_refs=wanted
        )

    def _indicator(self, one: dict[str, Any], seen: dict[str, str]) -> None:
        pattern = pattern_of(one["type"], one["value"]) if one["risk"] == MALICIOUS else ""
        if not pattern:
            return
        rated = moment(one["rated_at"]) if one["rated_at"] else self.created
        found = self.add(
            "indicator", one["type"], one["value"],
            name=f"{one['type']} {one['value']}"[:250], description=f"Rated highly suspicious in {self.case_name}",
            pattern=pattern, pattern_type="stix", valid_from=rated,
            indicator_types=["malicious-activity"], confidence=MALICIOUS_CONFIDENCE,
        )  # fmt: skip
        self.relate(self.case, "related-to", found)
        data = [seen[number] for number in one["alerts"] if seen.get(number)]
        for ref in data:
            self.relate(found, "based-on", ref)
        self._sighting(found, one, data)

    def _sighting(self, indicator: str, one: dict[str, Any], data: list[str]) -> None:
        alerts = [alert for alert in self.document["alerts"] if alert["number"] in one["alerts"]]
        if not alerts:
            return
        first = min(moment(alert["first_seen"] or alert["occurred_at"]) for alert in alerts)
        last = max(moment(alert["last_seen"] or alert["occurred_at"]) for alert in alerts)
        count = min(sum(max(alert["count"], 1) for alert in alerts), MOST_COUNTED)
        self.add(
            "sighting", one["type"], one["value"], first_seen=first, last_seen=max(first, last), count=count,
            sighting_of_ref=indicator, observed_data_refs=data, where_sighted_refs=[self.pk("identity", "portal")],
        )  # fmt: skip

    def _technique(self, technique: str) -> None:
        about = {"source_name": "mitre-attack", "external_id": technique, "url": ATTACK + technique.replace(".", "/")}
        name = catalog().name(technique) or technique
        found = self.add(
            "attack-pattern", technique, name=name, description=f"ATT&CK technique {technique}",
            external_references=[about],
        )  # fmt: skip
        self.relate(self.case, "related-to", found)

    def _asset(self, asset: dict[str, Any]) -> None:
        found = self.add("identity", "asset", asset["name"], name=asset["name"], identity_class="system")
        self.relate(self.case, "related-to", found)

    def _notes(self) -> None:
        for entry, text in notes_of(self.document):
            self._note(entry["id"], text, moment(entry["occurred_at"]), author_of(entry))
        rest = [one for one in self.document["observables"] if one["type"] == "crypto"]
        if rest:
            listed = "\n".join(one["value"] for one in rest)
            self._note("crypto", f"Crypto-currency addresses, for which STIX has no object:\n{listed}", self.created)

    def _note(self, key: object, content: str, created: str, author: str = "", about: str = "") -> None:
        authors, refs = [author] if author else [], [about or self.case]
        self.add("note", key, created=created, content=content, authors=authors, object_refs=refs)

    def _report(self) -> None:
        sorts = {one["type"] for one in self.found.values()}
        types = ["indicator", "observed-data"] if "indicator" in sorts else ["observed-data"]
        self.add(
            "report", name=self.case_name, description="What Soar tells of the incident", published=self.modified,
            report_types=types, object_refs=sorted(self.found),
        )  # fmt: skip


def _techniques(document: dict[str, Any]) -> list[str]:
    """Those of the incident, of its alerts and those found as observables, each once."""
    named = [*document["incident"]["techniques"], *(t for one in document["alerts"] for t in one["techniques"])]
    return sorted({*named, *(one["value"] for one in document["observables"] if one["type"] == "technique")})
