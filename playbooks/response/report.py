"""The report of a run (response-playbooks.md 24): what triggered it, the objects with ratings and evidence, each task
with status and time, approvals, links. As JSON for the run and its page, as a message for mail and channels."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from cases.choices import Severity
from cases.models import Alert
from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS
from playbooks.models import Approval, ResponseTask, Run
from playbooks.response.marking import tlp_of
from playbooks.response_words import label_of
from soar.connectors.messages import REPORT, Message, Row, Section
from soar.lib.clock import iso
from soar.lib.text import defang

ROWS_AT_MOST = 50


def report_of(run: Run) -> dict[str, Any]:
    """The report as it stands at this moment, as JSON (``run.report`` at the end)."""
    alert = run.alert
    rows = list(ResponseTask.objects.filter(run=run).select_related("account").order_by("position", "pk"))
    return {
        "playbook": {"id": run.playbook_id, "name": run.playbook.name, "version": _version(run)},
        "run": {"id": run.pk, "status": run.status, "url": f"{settings.SOAR_URL}/runs/{run.pk}/"},
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "at": iso(timezone.now()),
        "tlp": tlp_of(alert),
        "alert": _alert(alert) if alert else None,
        "incident": _incident(alert),
        "objects": [_object(one) for one in run.targets or []],
        "tasks": [task_facts(task) for task in rows],
        "approvals": [_approval(one) for one in _approvals(run)],
        "problems": list((run.input or {}).get("problems", [])),
        "summary": summary(rows),
    }


def summary(rows: list[ResponseTask]) -> dict[str, Any]:
    """``{"tasks": n, "by_status": {status: n}, "text": sentence}``; messages that tell of it are not counted."""
    counts = Counter(task.status for task in rows if not _tells(task.action))
    ordered = {word.value: counts[word] for word in TaskStatus if counts[word]}
    total = sum(counts.values())
    text = ", ".join(f"{number} {TaskStatus(word).label.lower()}" for word, number in ordered.items())
    return {"tasks": total, "by_status": ordered, "text": text or "No action was taken."}


def _tells(action: str) -> bool:
    return action in ACTIONS and ACTIONS[action].group == "notify"


def task_facts(task: ResponseTask) -> dict[str, Any]:
    """A task as the report tells it."""
    return {
        "id": task.pk,
        "node": task.node,
        "action": task.action,
        "label": label_of(task.action, task.capability),
        "target": {"kind": task.target_kind, "value": task.target_value},
        "risk": task.risk,
        "status": task.status,
        "reason": task.reason,
        "message": task.message,
        "by": task.account.name if task.account else "",
        "ticket": task.data.get("ticket"),
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
    }


def _version(run: Run) -> int | None:
    return run.version.number if run.version else None


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "number": alert.number,
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "source": alert.source.name,
        "model": alert.detection_model,
        "tlp": alert.tlp,
        "occurred_at": iso(alert.occurred_at),
        "url": f"{settings.SOAR_URL}/alerts/{alert.number}/",
    }


def _incident(alert: Alert | None) -> dict[str, Any] | None:
    number = Alert.objects.filter(pk=alert.pk).values_list("incident", flat=True).first() if alert else None
    return {"number": f"INC-{number}", "url": f"{settings.SOAR_URL}/incidents/INC-{number}/"} if number else None


def _object(one: dict[str, Any]) -> dict[str, Any]:
    names = ("key", "kind", "type", "value", "risk", "rule", "evidence", "scores", "rated_at", "benign")
    return {name: one.get(name) for name in names}


def _approvals(run: Run) -> QuerySet[Approval]:
    return Approval.objects.filter(run=run).prefetch_related("votes__user").order_by("pk")


def _approval(one: Approval) -> dict[str, Any]:
    return {
        "id": one.pk,
        "title": one.title,
        "status": one.status,
        "reason": one.reason,
        "decided_at": iso(one.decided_at),
        "by": sorted({vote.user.display_name() for vote in one.votes.all()}),
        "url": f"{settings.SOAR_URL}/approvals/{one.pk}/",
    }


def message_of(task: ResponseTask) -> Message:
    """The report as the message that this notify task sends."""
    run = Run.objects.select_related("playbook", "version", "alert__source").get(tasks=task)
    return message_from(report_of(run), run.pk, task.params)


def message_from(report: dict[str, Any], run: int, params: dict[str, Any]) -> Message:
    """A report as a message: for channels, mail, and the file on the run's page."""
    alert = report["alert"] or {}
    return Message(
        title=f"{report['playbook']['name']}: {report['summary']['text']}",
        type=REPORT,
        text=_opening(report),
        facts=tuple(_facts(report)),
        sections=tuple(_sections(report)),
        link=report["run"]["url"],
        link_label="Open the run",
        severity=alert.get("severity", ""),
        tlp=report.get("tlp") or alert.get("tlp", "amber"),
        thread=f"run-{run}",
        prefix=str(params.get("subject_prefix") or ""),
        recipients=tuple(str(one) for one in params.get("recipients") or ()),
    )


def _opening(report: dict[str, Any]) -> str:
    alert = report["alert"]
    return f"{alert['number']} {alert['title']} ({alert['source']}) started it." if alert else ""


def _facts(report: dict[str, Any]) -> list[tuple[str, str]]:
    alert, incident = report["alert"] or {}, report["incident"] or {}
    facts = [
        ("Alert", alert.get("number", "")),
        ("Detection model", alert.get("model", "")),
        ("Incident", incident.get("number", "")),
    ]
    return [(name, value) for name, value in facts if value]


def _sections(report: dict[str, Any]) -> list[Section]:
    objects = [Row(defang(one["value"], one["type"]), one["risk"], _why(one)) for one in report["objects"]]
    done = [
        Row(f"{one['label']} {_shown(one)}".strip(), one["status"], _outcome(one))
        for one in report["tasks"]
        if not _tells(one["action"])
    ]
    tickets = [Row(one["ticket"]["number"], "", one["ticket"]["url"]) for one in report["tasks"] if one.get("ticket")]
    asked = [Row(one["title"], one["status"], ", ".join(one["by"])) for one in report["approvals"]]
    named = (("Objects", objects), ("Actions", done), ("Approvals", asked), ("Tickets", tickets))
    return [
        Section(title, tuple(rows[:ROWS_AT_MOST]), max(0, len(rows) - ROWS_AT_MOST)) for title, rows in named if rows
    ]


def _why(one: dict[str, Any]) -> str:
    """The rule by which an object was rated, and the first evidence for it."""
    evidence = next((f"{each['list']}: {each['text']}".rstrip(": ") for each in one.get("evidence") or ()), "")
    return " · ".join(part for part in (one["benign"] or one["rule"] or "", evidence) if part)


def _outcome(task: dict[str, Any]) -> str:
    """When a task ended, and what is to be said of it."""
    ended = str(task.get("finished_at") or "")[:19].replace("T", " ")
    return " · ".join(part for part in (f"{ended} UTC" if ended else "", task["reason"] or task["message"]) if part)


def _shown(task: dict[str, Any]) -> str:
    kind = task["target"]["kind"]
    return defang(task["target"]["value"], kind if kind in ("url", "domain", "ip") else "")
