"""What the page of an approval shows: the blast radius, the requests, the votes, the form (design: approval.html)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.models import Asset, Incident
from playbooks.actions.approvals import may_decide
from playbooks.actions.response_preview import preview_of
from playbooks.choices import APPROVAL_OPEN, TaskStatus
from playbooks.disclosure import withhold, withhold_words
from playbooks.models import Approval, ResponseTask, Vote
from playbooks.response.telling import asked
from playbooks.response_selectors import visible_approvals
from playbooks.response_words import NEVER_TOUCH, label_of, value_of
from playbooks.views.approval_words import asked_by, badge, time_left
from playbooks.views.parts import Context, holders, page
from playbooks.views.target_words import EFFECTS, KIND_ICONS, KIND_LABELS, how_many
from soar.accounts.models import User
from soar.connectors.capabilities import CAPABILITIES
from soar.lib import parts
from soar.lib.text import HASH, shorten_hash

PREVIEWED = 30
SHOWN = 500
PIECE = ("text", "provider", "source", "list", "verdict")  # of a piece of evidence, whoever gave it


@dataclass(slots=True)
class Line:
    """One task of the approval as a row of the blast radius."""

    task: ResponseTask
    label: str
    effect: str
    value: str
    icon: str
    kind: str
    url: str
    about: str
    risk: SafeString
    evidence: str
    criticality: str
    tone: str
    groups: str
    undo: str
    final: bool
    connector: str
    state: SafeString
    held: str = ""
    ticked: bool = False
    open: bool = False
    reason: str = ""
    votes: list[Vote] = field(default_factory=list)


def context_of(
    user: User, approval: Approval, *, ticked: Sequence[int] | None = None, given: Mapping[str, Any] | None = None
) -> Context:
    """All that the page shows. ``ticked`` and ``given``: what was posted and refused."""
    tasks = list(approval.tasks.select_related("account").order_by("position", "pk")[:SHOWN])
    votes = list(approval.votes.select_related("user").order_by("pk"))
    own = {vote.task_id for vote in votes if vote.user_id == user.pk}
    lines = [_line(task, votes) for task in tasks]
    closed = withhold_words(user, [approval])
    withhold(user, [], tasks=tasks)  # what the never-touch list says of them stays: it asks for a reason
    for line in lines:
        line.open = line.task.status == TaskStatus.PENDING_APPROVAL and line.task.pk not in own
        line.ticked = line.open and (line.task.pk in ticked if ticked is not None else not line.held)
        line.reason = str((given or {}).get(f"reason-{line.task.pk}", ""))
    _link_assets(user, lines)
    total = approval.tasks.count() if len(tasks) == SHOWN else len(tasks)
    hindrance = may_decide(Actor.of(user), approval)
    can = approval.status in APPROVAL_OPEN and not hindrance and (not tasks or any(line.open for line in lines))
    can = can and not (not tasks and None in own)
    left, soon = time_left(approval)
    return {
        "approval": approval,
        "number": f"AP-{approval.pk}",
        "state": badge(approval),
        "open": approval.status in APPROVAL_OPEN,
        "left": left,
        "soon": soon,
        "lines": lines,
        "figures": _figures(lines),
        "ticks": sum(line.ticked for line in lines),
        "pending": sum(line.open for line in lines),
        "total": total,
        "shown": SHOWN,
        "asked": asked_by(approval),
        "run_url": reverse("run-detail", args=[approval.run_id]) if approval.run_id else "",
        "version": approval.run.version.number if approval.run and approval.run.version else None,
        "subject": approval.alert.number if approval.alert else "",
        "subject_url": page("alert-detail", approval.alert.number) if approval.alert else "",
        "incident": _incident(user, approval),
        "requests": _requests(lines),
        "withheld": closed or any(task.withheld for task in tasks),
        "people": _people(votes, approval),
        "told": _told(approval),
        "untold": not approval.told and not asked(approval) and approval.status in APPROVAL_OPEN,
        "can": can,
        "decided_here": bool(own),
        "hindrance": hindrance,
        "responders": holders("respond"),
        "comment": str((given or {}).get("comment", "")),
        "others": visible_approvals(user).filter(status__in=APPROVAL_OPEN).count(),
    }


def _line(task: ResponseTask, votes: Sequence[Vote]) -> Line:
    asset = task.target.get("asset") or {}
    what = CAPABILITIES.get(task.capability)
    word = str(asset.get("criticality") or "")
    return Line(
        task=task,
        label=label_of(task.action, task.capability),
        effect=str(EFFECTS.get(task.capability, "")),
        value=value_of(task),
        icon=KIND_ICONS.get(task.target_kind, "target"),
        kind=str(KIND_LABELS.get(task.target_kind, task.target_kind)),
        url="",
        about=", ".join(filter(None, [str(asset.get("type") or ""), str(asset.get("system") or "")])),
        risk=parts.risk(task.risk) if task.risk else SafeString(""),
        evidence=evidence_of(task.target),
        criticality=parts.label(word) if word and word != "unknown" else "",
        tone={"critical": "red", "high": "amber"}.get(word, "grey"),
        groups=", ".join(map(str, [*asset.get("groups", []), *asset.get("tags", [])][:6])),
        undo=_(CAPABILITIES[what.inverse].label) if what and what.inverse else "",
        final=what is not None and what.destructive and not what.inverse,
        connector=task.account.name if task.account else "",
        state=parts.state(task.status, running=True),
        held=task.reason if task.reason.startswith(NEVER_TOUCH) else "",
        votes=[vote for vote in votes if vote.task_id == task.pk],
    )


def evidence_of(target: Mapping[str, Any]) -> str:
    """The rule of the rating and the first pieces of evidence, as a sentence."""
    told = [str(target.get("rule") or "")]
    for piece in list(target.get("evidence") or [])[:3]:
        said = [piece.get(name) for name in PIECE] if isinstance(piece, dict) else [piece]
        told.append(" ".join(str(one) for one in said if one))
    text = "; ".join(one for one in dict.fromkeys(told) if one)
    return HASH.sub(lambda found: shorten_hash(found[0]), text)[:400]


def _link_assets(user: User, lines: Sequence[Line]) -> None:
    """The pages of the assets that the person may see, in one query."""
    keys = {line.task.target_value.lower() for line in lines if line.task.target_kind == "endpoint"}
    found = dict(Asset.objects.visible_to(user).filter(key__in=keys).values_list("key", "pk")) if keys else {}
    for line in lines:
        pk = found.get(line.task.target_value.lower()) if line.task.target_kind == "endpoint" else None
        line.url = reverse("asset-detail", args=[pk]) if pk else ""


def _figures(lines: Sequence[Line]) -> list[tuple[str, str, bool]]:
    """[(number, what happens to so many, whether it is a warning)]: the radius at a glance."""
    waiting = [line for line in lines if line.task.status == TaskStatus.PENDING_APPROVAL] or list(lines)
    counted = Counter((line.task.capability, line.label) for line in waiting)
    figures = [
        (str(number), how_many(capability, label, number), False) for (capability, label), number in counted.items()
    ]
    if held := sum(bool(line.held) for line in waiting):
        figures.append((str(held), _("held by the never-touch list"), True))
    if final := sum(line.final for line in waiting):
        figures.append((str(final), _("cannot be undone"), True))
    return figures


def _sends(task: ResponseTask) -> bool:
    """Whether something goes to another product."""
    return bool(task.capability) or task.action == "ticket"


def _requests(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """[(connector, what would be sent, one request a line)] of the tasks that wait."""
    told: dict[str, list[str]] = defaultdict(list)
    waiting = [line for line in lines if line.task.status == TaskStatus.PENDING_APPROVAL and _sends(line.task)]
    for line in [one for one in waiting if not one.task.withheld][:PREVIEWED]:
        made = preview_of(line.task)
        for request in made.requests:
            told[line.connector].append(request_text(request))
        if made.problem:
            told[line.connector or _("No connector")].append(f"{line.label} {line.value}: {made.problem}")
    return [(name, "\n".join(texts)) for name, texts in told.items()]


def request_text(request: Mapping[str, Any]) -> str:
    """ "POST https://… {…}" of a request that is shown, not sent."""
    body = request.get("body")
    text = "" if body in (None, "") else body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if not request.get("method"):
        return json.dumps(request, ensure_ascii=False, default=str)[:4000]
    where = request.get("url") or request.get("path") or ""
    return f"{request.get('method', '')} {where} {text}".strip()[:4000]


def _people(votes: Sequence[Vote], approval: Approval) -> list[dict[str, Any]]:
    """Who said what, a line a person and word."""
    told: dict[tuple[int, bool], dict[str, Any]] = {}
    for vote in votes:
        one = told.setdefault(
            (vote.user_id, vote.approve),
            {"user": vote.user, "yes": vote.approve, "count": 0, "at": vote.at, "comments": []},
        )
        one["count"] += 1
        if vote.comment and vote.comment not in one["comments"]:
            one["comments"].append(vote.comment)
    return list(told.values())


def _told(approval: Approval) -> list[dict[str, Any]]:
    """Whom the notice went to, and what came of it: ``{"channel", "whom", "ok", "text", "at"}``."""
    whom = ", ".join(asked(approval).recipients)
    rows = [row for row in approval.told if isinstance(row, dict)][:20]
    return [
        {**row, "at": parse_datetime(str(row.get("at"))), "whom": whom if row.get("channel") == "e-mail" else ""}
        for row in rows
    ]


def _incident(user: User, approval: Approval) -> Context | None:
    number = approval.incident_id or (approval.alert.incident_id if approval.alert else None)
    if number is None or not Incident.objects.visible_to(user).filter(pk=number).exists():
        return None
    return {"number": f"INC-{number}", "url": page("incident-detail", f"INC-{number}")}
