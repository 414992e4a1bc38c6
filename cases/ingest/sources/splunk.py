"""Splunk: the webhook alert action, and notable events of Enterprise Security inside it.

A webhook carries the first result row of a search in ``result`` with the fields of the search (CIM names
where the search follows them). ``sid`` names the run of the search, not the finding: several rows share it
and every run has a new one. So the key is the notable's own id, else a digest of search and row.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert, canonical_key
from cases.ingest.severity import severity_of, splunk_scale
from cases.ingest.shapes import as_ip, as_url
from cases.ingest.sources import generic
from cases.ingest.text import cut, words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

TITLE = words("ruletitle rulename title signature searchname savedsearchname alertname subject eventname name")
SEVERITY = words("urgency severity ruleseverity severityname alertseverity priority riskscore severityid")
OCCURRED = words("_time orig_time origtime timestamp eventtime time lasttime firsttime triggertime")
HOST = words(
    "destnthost desthost destdns destname dest computername computer dvchost dvc hostname orighost srcnthost srchost"
    " host src"
)
USER = words("user destuser username srcuser accountname targetusername userid suser duser orig_user")
SOURCE_IP = words("srcip src sourceip clientip remoteip ip sourceaddress srctranslatedip")
DEST_IP = words("destip dest destinationip dstip")
EVENT_ID = words("eventid notableid ruleid_event eventhash origeventid findingid")
TECHNIQUE = words(
    "annotations.mitreattack annotations.mitreattack.mitretechniqueid mitreattack mitretechniqueid mitretechnique"
    " annotations.mitre_attack technique techniqueid annotations"
)
STATE = words("statuslabel status")
SKIP = NOISE | frozenset(words("app owner search drilldownsearch infosearch splunkserver"))
UNTELLING = frozenset(words("sid resultslink index splunkserver linecount"))  # fields no title is made of


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of a webhook body, or of a bare result row."""
    result = item.get("result")
    if isinstance(result, list):
        result = result[0] if result else None
    row = Flat(result) if isinstance(result, dict) else Flat(item)
    body = Flat(item)
    gather = Gather()
    alert = NormalAlert(title=_title(row, body))
    alert.detection_model = body.text("searchname") or row.text("searchname", "ruletitle", "rulename", "signature")
    alert.severity = severity_of(
        row.first(*SEVERITY) or body.first("severity", "alert.severity"), alert.notes, splunk_scale
    )
    alert.description = row.text("ruledescription", "description", "savedsearchdescription", "message", "_raw")
    alert.occurred_at = parse_time(row.first(*OCCURRED) or body.first("triggertime", "_time"), alert.notes)
    alert.first_seen = parse_time(row.first("firsttime", "firstseen", "earliest"))
    alert.last_seen = parse_time(row.first("lasttime", "lastseen", "latest"))
    alert.external_link = body.text("resultslink", "resultlink", "viewlink") or row.text("drilldownlink", "resultslink")
    alert.tags = _tags(row, body)
    alert.tlp = generic.tlp(row, alert.tags)
    _identity(alert, row, body, result if isinstance(result, dict) else item)
    _state(alert, row)
    _who_and_where(alert, row, gather)
    gather.technique(*(part.split(",") for part in row.texts(*TECHNIQUE)))
    generic.named(row, gather)
    gather.link(alert.external_link)
    gather.payload(result if isinstance(result, dict) else item, SKIP)
    return generic.complete(alert, gather)


def _title(row: Flat, body: Flat) -> str:
    """The search's name, or the notable's title; an unsaved search is named by its app and first row."""
    title = body.text("searchname") if not row.text("ruletitle") else row.text("ruletitle")
    title = title or row.text(*TITLE) or body.text("alertname", "title")
    if title:
        return title
    app = body.text("app")
    shown = {name: value for name, value in row.fields.items() if not name.startswith("_") and name not in UNTELLING}
    return generic.fields_title(shown or row.fields, f"Splunk search in the app {app}" if app else "Splunk search")


def _identity(alert: NormalAlert, row: Flat, body: Flat, result: dict[str, Any]) -> None:
    event_id = generic_id = row.text(*EVENT_ID)
    if generic_id.isdigit() and len(generic_id) < 7:
        event_id = ""  # a Windows event's number, not a notable's id
    alert.source_ref = event_id or body.text("sid")
    parts = {name: body.text(name) for name in ("searchname", "app", "owner")}
    row_only = {key: value for key, value in result.items() if str(key).lower() not in {"sid", "results_link"}}
    alert.dedup_key = event_id or canonical_key({**parts, "result": row_only})


def _tags(row: Flat, body: Flat) -> list[str]:
    found = row.texts("tag", "tags") + row.texts("securitydomain") + row.texts("eventtype")
    return [cut(tag, 100) for text in found for tag in text.split(",")] or body.texts("tags")


def _state(alert: NormalAlert, row: Flat) -> None:
    alert.source_state = row.text(*STATE)
    alert.determination = verdict_of(row.text("dispositionlabel", "disposition"))
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)


def _host(row: Flat) -> str:
    """The machine concerned: not the site of a web event's URL, which stands in ``dest``, if another is named."""
    names = [name for key in HOST if (name := row.text(key)) and not as_ip(name)]
    site = as_url(row.text("url")).partition("://")[2].partition("/")[0].partition(":")[0]
    ours = [name for name in names if name.lower() != site]
    return next(iter((*ours, *names)), "") or row.text("dest", "host")


def _who_and_where(alert: NormalAlert, row: Flat, gather: Gather) -> None:
    alert.source_ip = generic.address(row, gather, "source_ip", SOURCE_IP)
    generic.address(row, gather, "destination_ip", DEST_IP)
    alert.hostname = _host(row)
    alert.username = row.text(*USER)
    gather.name("hostname", alert.hostname, "host")
    gather.name("user", alert.username, "user")
    if alert.hostname:
        alert.assets = [generic.asset(alert.hostname, row.text("os", "destos"))]
    if risk_object := row.text("riskobject"):
        alert.entities.append({"type": row.text("riskobjecttype") or "risk_object", "name": risk_object})
    if command := row.text("process", "commandline", "processexec"):
        alert.entities.append({"type": "process", "name": row.text("processname"), "command_line": command})
