"""The list of playbooks of both kinds: what starts them, how they fare, what keeps one from running (spec 28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from playbooks.choices import Trigger
from playbooks.figures import DAYS, NONE, Figures, figures
from playbooks.graph.schema import read
from playbooks.graph.validate import World, validate
from playbooks.models import LoadError, Playbook, PlaybookVersion
from playbooks.permissions import holding
from playbooks.views import words
from playbooks.views.parts import Context, person_of, rights_of, signed_in_reader, workers_alive
from playbooks.world import place, world_of
from soar.accounts.models import User
from soar.lib import parts

TEMPLATE = "playbooks/list.html"
SAMPLE = '''from playbooks import action, add_current_alert_comment, playbook


@action(timeout=10, retries=2, idempotent=True)
async def look_up_owner(host):
    return {"host": host, "owner": "Finance"}


@playbook(trigger="webhook", conditions={"severity": ["high", "critical"]}, order=100)
async def tell_the_owner(alert):
    """Says on the timeline whose host it is."""
    found = await look_up_owner(alert["hostname"])
    await add_current_alert_comment(f"{found['host']} belongs to {found['owner']}.")
    return found
'''


@dataclass(frozen=True, slots=True)
class Row:
    """A playbook as the list shows it, finished."""

    playbook: Playbook
    version: int | None
    trigger: str
    conditions: list[tuple[str, str]]
    stopped: str
    can_start: bool
    error: str
    last_url: str
    last_state: SafeString
    last_ago: SafeString
    runs: str
    runs_url: str
    success: int | None
    tone: str
    average: str
    drawn: bool
    by: SafeString
    lacking: str = ""
    lacking_url: str = ""

    @property
    def fixed(self) -> bool:
        """It cannot be switched on as it is."""
        return bool(self.error or not self.playbook.present or (self.drawn and not self.playbook.current_id))

    may_edit: bool = False


@signed_in_reader
@require_safe
def playbook_list(request: HttpRequest) -> HttpResponse:
    """The page; ``?kind=response|python`` narrows, ``?away=1`` shows those that were put away, ``?q=`` finds by name
    and description."""
    return render(request, TEMPLATE, list_context(person_of(request), request.GET))


def list_context(user: User, asked: Mapping[str, str] | None = None) -> Context:
    """What the page and the answer to a reload show."""
    found = figures(user)
    playbooks, chosen = _chosen(asked or {})
    world = world_of() if any(playbook.kind == "response" and not playbook.enabled for playbook in playbooks) else None
    rights = rights_of(user)
    granted = set() if rights["may_author"] else set(holding(user, "edit").values_list("pk", flat=True))
    rows = [
        row_of(one, found.get(one.pk, NONE), world, may_edit=rights["may_author"] or one.pk in granted)
        for one in playbooks
    ]
    known = {str(Path(row.playbook.folder) / row.playbook.module) for row in rows if row.error}
    return {
        "rows": rows,
        "problems": [problem(error) for error in LoadError.objects.all()[:100] if error.path not in known],
        "total": len(rows),
        "enabled": sum(row.can_start for row in rows),
        "workers": workers_alive(),
        "folders": [short_folder(folder) for folder in settings.PLAYBOOK_DIRS],
        "sample": SAMPLE,
        "days": DAYS,
        **chosen,
        **rights,
    }


def _chosen(asked: Mapping[str, str]) -> tuple[list[Playbook], Context]:
    """The playbooks that were asked for, and what was asked."""
    version = PlaybookVersion.objects.filter(playbook=OuterRef("pk"), digest=OuterRef("digest")).values("number")
    rows = Playbook.objects.annotate(version=Subquery(version[:1])).select_related("current", "modified_by")
    put_away = Q(kind="response", present=False)
    away = rows.filter(put_away).count()
    rows = rows.filter(put_away) if asked.get("away") else rows.exclude(put_away)
    kind = asked.get("kind", "") if asked.get("kind") in ("response", "python") else ""
    text = asked.get("q", "").strip().replace("\x00", "")[:200]
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
    narrowed = bool(kind or text or asked.get("away"))
    chosen = {"kind": kind, "q": text, "away": away, "showing_away": bool(asked.get("away")), "narrowed": narrowed}
    return list(rows.order_by("order", "name")), chosen


def row_of(playbook: Playbook, found: Figures, world: World | None = None, *, may_edit: bool = False) -> Row:
    """The row of one playbook; it may carry its ``version``. With ``world`` it says what keeps a response playbook
    from being enabled."""
    drawn = playbook.kind == "response"
    lacking, lacking_url = _lacking(playbook, world) if drawn and world is not None else ("", "")
    return Row(
        drawn=drawn,
        may_edit=may_edit,
        by=parts.person(playbook.modified_by) if playbook.modified_by else SafeString(),
        lacking=lacking,
        lacking_url=lacking_url,
        playbook=playbook,
        version=playbook.current.number if drawn and playbook.current else getattr(playbook, "version", None),
        trigger=_trigger(playbook) if drawn else words.trigger_of(playbook),
        conditions=[] if drawn else words.conditions_of(playbook.conditions, 3),
        stopped=stopped(playbook),
        can_start=not playbook.hindrance,
        error=playbook.load_error,
        last_url=reverse("run-detail", args=[found.last_run]) if found.last_run else "",
        last_state=parts.state(found.last_status, running=True) if found.last_status else SafeString(),
        last_ago=parts.ago(found.last_at, suffix=True),
        runs=f"{found.runs:,}{'+' if found.more else ''}",
        runs_url=f"{reverse('run-list')}?playbook={playbook.pk}&time={DAYS}d",
        success=found.success,
        tone=tone_of(found.success or 0),
        average=words.duration(found.seconds),
    )


def _trigger(playbook: Playbook) -> str:
    return _("Manual") if playbook.trigger == Trigger.MANUAL else _("Automatic or manual")


def _lacking(playbook: Playbook, world: World) -> tuple[str, str]:
    """Why a published response playbook that is off cannot be switched on, and where to set it up."""
    if playbook.enabled or playbook.current is None:
        return "", ""
    graph = read(playbook.current.definition)[0]
    found = next(iter(validate(graph, replace(world, names_taken=()))), None)
    if found is None:
        return "", ""
    url = place("source" if found.field == "enabled" else "connector") if found.enabling else ""
    return found.message, url


def tone_of(success: int) -> str:
    """The colour of a share of successful runs in percent."""
    return "green" if success >= 90 else "amber" if success >= 50 else "red"


def stopped(playbook: Playbook) -> str:
    """Why it starts nothing although it is switched on, as the first words of a sentence; "" if it starts."""
    if playbook.load_error:
        return _("Cannot be loaded")
    if not playbook.present:
        return _("Put away") if playbook.kind == "response" else _("No longer in the files")
    return _("Deactivated") if playbook.deactivated_reason else ""


def problem(error: LoadError) -> dict[str, Any]:
    """A file that cannot be loaded, or a function in it that is refused."""
    return {"pk": error.pk, "path": short_path(error.path), "name": error.name, "error": error, "at": error.at}


def short_path(path: str) -> str:
    """A file relative to the playbook folder it is in."""
    for folder in settings.PLAYBOOK_DIRS:
        inside = Path(path)
        if inside.is_relative_to(folder.resolve()):
            return str(inside.relative_to(folder.resolve())) if inside != folder.resolve() else short_folder(folder)
    return Path(path).name


def short_folder(folder: Path) -> str:
    """A playbook folder, relative to the portal where it is inside of it."""
    base = Path(settings.BASE_DIR)
    return str(folder.relative_to(base)) if folder.is_relative_to(base) else str(folder)
