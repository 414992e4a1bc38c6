"""Alert sources in the browser, for those who manage them (ingest-and-api.md 1)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from cases.actions import sources as actions
from cases.actions.manual import HAND_SOURCE
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import CaseError, Missing
from cases.ingest.registry import KINDS
from cases.models import AlertSource
from cases.permissions import readable_source, source_for
from cases.source_access import manages_some, sources_managed_by, sources_read_by
from cases.views import dead_letters_parts as letters
from cases.views import intake_parts, pull_parts
from cases.views import sources_parts as shown
from cases.views.parts import needs, person_of
from cases.views.sources_form import SourceForm
from cases.views.sources_howto import how_to
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, render_regions

TEMPLATE = "cases/sources/list.html"
AT_MOST = 500
manages_sources = needs("manage_sources", manages_some)
reads_sources = needs("view_setup", manages_some)


@reads_sources
@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    """The sources that the person may read, with their state and its reason; ``state=look`` leaves those that need a
    look."""
    user = person_of(request)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    rows = sources_read_by(user).exclude(slug=HAND_SOURCE).select_related("team", "pull").prefetch_related("tokens")
    if text:
        kinds = [kind.name for kind in KINDS.values() if text.lower() in kind.label.lower()]
        rows = rows.filter(
            Q(name__icontains=text) | Q(slug__icontains=text) | Q(team__name__icontains=text) | Q(kind__in=kinds)
        )
    listed = [_row(source) for source in rows[:AT_MOST]]
    look = [row for row in listed if row["state"].tone in shown.TO_LOOK_AT]
    rows_shown = look if request.GET.get("state") == "look" else listed
    context = {
        "q": text,
        "intake": intake_parts.tabs(user, "source-list"),
        "rows": rows_shown,
        "total": len(listed),
        "look": len(look),
        "only_look": request.GET.get("state") == "look",
    }
    if is_partial(request):
        said = _("%(n)s sources") % {"n": len(rows_shown)}
        return render_regions(request, TEMPLATE, ["rows"], context, extra=[live(said)])
    return render(request, TEMPLATE, context)


@needs("manage_sources")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def source_create(request: HttpRequest) -> HttpResponse:
    """The form; a good one answers with the source's page, on which the token stands this once."""
    form = SourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            source, token = actions.create(Actor.of(person_of(request)), fields=form.for_action())
        except CaseError as error:
            form.add_error(_field_of(error, form), error.message)
        else:
            return show(request, source, token=token, status=201)
    return render(request, "cases/sources/form.html", {"form": form}, status=422 if form.errors else 200)


@reads_sources
@require_safe
def source_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One source: state, figures, tokens; for those who manage it how to send to it."""
    user = person_of(request)
    reads_only = may(user, "view_setup") and not may(user, "manage_sources")
    if reads_only and not sources_managed_by(user).filter(slug=slug).exists():
        return _read(request, _real(readable_source(user, slug), slug))
    return show(request, found(request, slug))


@manages_sources
@require_http_methods(["GET", "HEAD", "POST"])
def source_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of a source that is there."""
    source = found(request, slug)
    form = SourceForm(request.POST or None, source=source)
    if request.method == "POST" and form.is_valid():
        try:
            actions.update(Actor.of(person_of(request)), slug, fields=form.for_action())
        except CaseError as error:
            form.add_error(_field_of(error, form), error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("source-detail", slug)
    context = {"form": form, "source": source}
    return render(request, "cases/sources/form.html", context, status=422 if form.errors else 200)


def found(request: HttpRequest, slug: str) -> AlertSource:
    """The source of this slug. Raises Missing also for the one of alerts made by hand: nothing can be set on it."""
    return _real(source_for(person_of(request), slug), slug)


def read_or_found(request: HttpRequest, slug: str) -> AlertSource:
    """The same for a page that whoever reads what is set up may look at. Raises Missing, Forbidden."""
    return _real(readable_source(person_of(request), slug), slug)


def manages_it(user: User, source: AlertSource | None) -> bool:
    """Whether the person has the verbs of this source; None: of those on a page of all."""
    managed = sources_managed_by(user)
    return managed.filter(pk=source.pk).exists() if source else may(user, "manage_sources") or managed.exists()


def _real(source: AlertSource, slug: str) -> AlertSource:
    if not shown.is_real(source):
        raise Missing(_("There is no source %(slug)s.") % {"slug": f"{slug!s:.60}"})
    return source


def _read(request: HttpRequest, source: AlertSource) -> HttpResponse:
    now = timezone.now()
    tokens = list(source.tokens.all())
    context = {
        **letters.tabs(source, "overview"),
        "kind": shown.kind_label(source.kind),
        "state": shown.state_of(source, tokens, now),
        "tokens": [shown.token_row(one, now) for one in tokens],
        "ingest_url": shown.ingest_url(source),
        "severity": parts.sev(Severity(source.default_severity).word),
        "silence": shown.silence_of(source),
    }
    return render(request, "cases/sources/read.html", context)


def show(request: HttpRequest, source: AlertSource, *, token: str = "", status: int = 200, **more: Any) -> HttpResponse:
    """The page of a source; with ``token``, the new one in clear. Such a page is kept nowhere."""
    now = timezone.now()
    tokens = list(source.tokens.all())
    context = {
        **letters.tabs(source, "overview"),
        "kind": shown.kind_label(source.kind),
        "state": shown.state_of(source, tokens, now),
        "tokens": [shown.token_row(one, now) for one in tokens],
        "token": token,
        "ingest_url": shown.ingest_url(source),
        "curl": shown.curl_of(source, token),
        "how": how_to(source, shown.ingest_url(source), token),
        "sample": shown.sample_text(source),
        "severity": parts.sev(Severity(source.default_severity).word),
        "reading": pull_parts.panel(source),
        "silence": shown.silence_of(source),
        **more,
    }
    answer = render(request, "cases/sources/detail.html", context, status=status)
    if token:
        answer["Cache-Control"] = "no-store"
    return answer


def _row(source: AlertSource) -> dict[str, Any]:
    now = timezone.now()
    tokens = list(source.tokens.all())
    usable = [token for token in tokens if shown.works(token, now)]
    endless = any(token.expires_at is None for token in usable)
    return {
        "source": source,
        "kind": shown.kind_label(source.kind),
        "state": shown.state_of(source, tokens, now),
        "seen": parts.ago(source.last_seen_at, now, suffix=True) if source.last_seen_at else "–",
        "token_ends": None if endless else max((one.expires_at for one in usable if one.expires_at), default=None),
        "has_token": bool(usable),
    }


def _field_of(error: CaseError, form: forms.Form) -> str | None:
    # Checks that alerts share name the field as alerts do.
    name = {"tags": "default_tags", "tlp": "default_tlp"}.get(error.field or "", error.field)
    return name if name in form.fields else None
