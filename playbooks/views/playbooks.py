"""The list of playbooks of both kinds: what starts them, how they fare, what keeps one from running (spec 28)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.errors import Missing
from playbooks.choices import Trigger
from playbooks.figures import DAYS, NONE, Figures, figures
from playbooks.graph.schema import read
from playbooks.graph.validate import World, validate
from playbooks.models import LoadError, Playbook, PlaybookVersion
from playbooks.models.playbook import CAN_RUN
from playbooks.permissions import holding
from playbooks.selectors import playbook_with_id
from playbooks.views import words
from playbooks.views.parts import Context, person_of, rights_of, signed_in_reader, workers_alive
from playbooks.world import place, world_of
from soar.lib import parts
from soar.lib.htmx import is_partial, render_regions
from soar.lib.keyset import Order
from soar.lib.paging import Listed, asked, paged

TEMPLATE = "playbooks/list.html"
TRACEBACK = "playbooks/traceback.html"
IN_ORDER = Order("order", ("order", "name"), descending=False)
OLDEST = Order("oldest", ("id",), descending=False)
PROBLEMS = 25
SHOWN = 30
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
    def on(self) -> bool:
        """Whether it is switched on: also while its file cannot be loaded."""
        return not self.playbook.off

    @property
    def wrong(self) -> str:
        """What is wrong with its file, in a line: the last one of the traceback."""
        return self.error.strip().rpartition("\n")[2]

    @property
    def fixed(self) -> bool:
        """It cannot be switched on as it is, and is not on."""
        return not self.on and bool(
            self.error or not self.playbook.present or (self.drawn and not self.playbook.current_id)
        )

    may_edit: bool = False


@signed_in_reader
@require_safe
def playbook_list(request: HttpRequest) -> HttpResponse:
    """The page; ``?kind=response|python`` narrows, ``?away=1`` shows those that were put away, ``?q=`` finds by name
    and description."""
    return render(request, TEMPLATE, list_context(request))


def list_context(request: HttpRequest) -> Context:
    """What the page and the answers to a reload and a switch show."""
    user = person_of(request)
    page, chosen = _chosen(request)
    playbooks = page.rows
    found = figures(user, *(one.pk for one in playbooks))
    world = world_of() if any(playbook.kind == "response" and not playbook.enabled for playbook in playbooks) else None
    rights = rights_of(user)
    granted = set() if rights["may_author"] else set(holding(user, "edit").values_list("pk", flat=True))
    rows = [
        row_of(one, found.get(one.pk, NONE), world, may_edit=rights["may_author"] or one.pk in granted)
        for one in playbooks
    ]
    return {
        "rows": rows,
        "page": page,
        **_problems(request, first=not page.newer_url),
        "workers": workers_alive(),
        "folders": [short_folder(folder) for folder in settings.PLAYBOOK_DIRS],
        "sample": SAMPLE,
        "days": DAYS,
        **chosen,
        **rights,
    }


def _problems(request: HttpRequest, *, first: bool) -> Context:
    """Files that cannot be loaded, but those of playbooks, whose rows say so: on the ``first`` page of the list."""
    bad = Playbook.objects.exclude(load_error="").values_list("folder", "module")
    known = [str(Path(folder) / module) for folder, module in bad]
    errors = LoadError.objects.exclude(path__in=known)
    found = paged(request, errors, OLDEST, name="problems", size=PROBLEMS, at="#problems")
    return {"problems": [problem(error) for error in found.rows] if first else [], "problem_page": found}


def _chosen(request: HttpRequest) -> tuple[Listed[Playbook], Context]:
    """The playbooks that were asked for, and what was asked, with how many there are."""
    given = request.GET
    version = PlaybookVersion.objects.filter(playbook=OuterRef("pk"), digest=OuterRef("digest")).values("number")
    rows = Playbook.objects.annotate(version=Subquery(version[:1])).select_related("current", "modified_by")
    kind = given.get("kind", "") if given.get("kind") in ("response", "python") else ""
    text, away = asked(given), bool(given.get("away"))
    put_away = Q(kind="response", present=False)
    wanted = put_away if away else ~put_away
    if kind:
        wanted &= Q(kind=kind)
    if text:
        wanted &= Q(name__icontains=text) | Q(description__icontains=text)
    counts = Playbook.objects.aggregate(
        away=Count("pk", put_away), total=Count("pk", wanted), enabled=Count("pk", wanted & CAN_RUN)
    )
    keep = {"kind": kind, "q": text, "away": "1" if away else ""}
    chosen = {**counts, "kind": kind, "q": text, "showing_away": away, "narrowed": any(keep.values())}
    return paged(request, rows.filter(wanted), IN_ORDER, keep=keep, size=SHOWN), chosen


@signed_in_reader
@require_safe
def playbook_traceback(request: HttpRequest, pk: int) -> HttpResponse:
    """Why the file of a playbook cannot be loaded."""
    found = playbook_with_id(pk)
    if not found.load_error:
        raise Missing(_("Its file can be loaded."))
    return _traceback(request, found.name, found.load_error)


@signed_in_reader
@require_safe
def playbook_problem(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a file, or a function in it, cannot be loaded."""
    found = LoadError.objects.filter(pk=pk).first()
    if found is None:
        raise Missing(_("It can be loaded by now, or is gone."))
    return _traceback(request, short_path(found.path), found.traceback or found.message)


def _traceback(request: HttpRequest, name: str, text: str) -> HttpResponse:
    context = {"name": name, "text": text}
    if is_partial(request):
        return render_regions(request, TRACEBACK, ["log"], context)
    return render(request, TRACEBACK, context)


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
