"""Settings, Feeds: what they brought and when; imports from files. Made and changed on the pages of connectors."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from soar.accounts.models import User
from soar.connectors.choice_words import WORDS
from soar.connectors.errors import NoConnector, Refused
from soar.connectors.intelligence.feeds import actions
from soar.connectors.intelligence.feeds.imports import OPEN
from soar.connectors.intelligence.feeds.source import FEED_KINDS
from soar.connectors.intelligence.feeds.upload import Upload
from soar.connectors.models import ConnectorAccount, FeedImport
from soar.connectors.removal import InUse
from soar.connectors.showing import kind_label
from soar.lib.htmx import is_partial, render_regions

MANAGE = "accounts.manage_connectors"


TEMPLATE = "connectors/feeds.html"


class FileForm(forms.Form):
    """A file for a feed; the file itself goes to its folder while it arrives (feeds/upload.py)."""

    feed = forms.TypedChoiceField(label=gettext_lazy("Feed"), coerce=int)
    file = forms.FileField(
        label=gettext_lazy("File"), required=False, help_text=gettext_lazy("At most 64 MiB; gzip and zip too.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = ConnectorAccount.objects.filter(kind="feed").order_by("name").values_list("pk", "name")
        cast(forms.TypedChoiceField, self.fields["feed"]).choices = list(rows)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All feeds with what they brought; their table alone for the poll while a file is imported."""
    _needs(request, "accounts.view_cases")
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["feeds"], _table(request))
    return _page(request)


# The token is checked in _queued: checking it reads the form, and that must not happen before the upload is set up.
@csrf_exempt
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file for a feed, and have a worker put its values in place of the feed's."""
    user = _needs(request, MANAGE)
    taken = Upload(request, lambda: _needs(request, MANAGE))
    request.upload_handlers = [taken]
    try:
        answer: HttpResponse = _queued(request, user, taken)
        return answer
    finally:
        taken.discard()


@csrf_protect
def _queued(request: HttpRequest, user: User, taken: Upload) -> HttpResponse:
    form = FileForm(request.POST) if request.content_type == "multipart/form-data" else FileForm({})
    try:
        writer = taken.received()
        if not form.is_valid():
            return _page(request, status=422, form=form)
        row = actions.request_file(user, form.cleaned_data["feed"], writer, taken.name)
    except Refused as error:
        form.is_valid()
        for text in error.errors.values():
            form.add_error("file", text)
        return _page(request, status=422, form=form)
    taken.kept = True
    messages.success(request, _("%s is being imported.") % row.name)
    return redirect("feed-index")


@require_POST
def bring(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a worker bring the feed from its address."""
    user = _needs(request, MANAGE)
    try:
        began = actions.request_import(user, pk)
    except NoConnector:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The import has begun.") if began else _("An import is under way."))
    return redirect("feed-index")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a feed with its entries; one that is gone already is no error."""
    user = _needs(request, MANAGE)
    try:
        name = actions.remove(user, pk)
    except NoConnector:
        return redirect("feed-index")
    except InUse:
        return redirect("connector-remove", pk)
    messages.success(request, _("%s and its values are gone.") % name)
    return redirect("feed-index")


def _needs(request: HttpRequest, permission: str) -> User:
    user = cast(User, request.user)
    if not user.is_active or not user.has_perm(permission):
        raise PermissionDenied(permission)
    return user


def _page(request: HttpRequest, status: int = 200, form: FileForm | None = None) -> HttpResponse:
    context = _table(request) | {"form": form or FileForm()}
    return render(request, TEMPLATE, context, status=status)


def _table(request: HttpRequest) -> dict[str, Any]:
    accounts = list(ConnectorAccount.objects.filter(kind__in=FEED_KINDS).select_related("feed").order_by("name"))
    last = FeedImport.objects.filter(account__in=accounts).order_by("account_id", "-pk").distinct("account_id")
    imports = {row.account_id: row for row in last.select_related("requested_by")}
    rows = [_row(account, imports.get(account.pk)) for account in accounts]
    return {
        "rows": rows,
        "total": sum(row["state"].entry_count for row in rows if row["state"]),
        "manages": cast(User, request.user).has_perm(MANAGE),
        "alive": any(row["alive"] for row in rows),
        "files": any(account.kind == "feed" for account in accounts),
    }


def _row(account: ConnectorAccount, job: FeedImport | None) -> dict[str, Any]:
    state = getattr(account, "feed", None)
    return {
        "account": account,
        "state": state,
        "next_at": _next(account, state),
        "settings": account.settings,
        "format": _format(account),
        "job": job,
        "alive": bool(job and job.status in OPEN) or bool(state and state.started_at),
        "percent": 100 * job.read_bytes // job.size if job and job.size else 0,
    }


def _format(account: ConnectorAccount) -> str:
    """How the feed is written, for people; of one that speaks a protocol, which."""
    word = account.settings.get("format") or ""
    return str(WORDS["format"].get(word, word)) if word else kind_label(account.kind)


def _next(account: ConnectorAccount, state: Any) -> datetime | None:
    """When it is brought next, None for one that is only brought by hand."""
    every = account.settings.get("every_minutes") or 0
    last = max(filter(None, (state.imported_at, state.failed_at)), default=None) if state else None
    return last + timedelta(minutes=every) if every and last and account.enabled else None
