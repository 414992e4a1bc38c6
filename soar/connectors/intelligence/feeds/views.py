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
from django.views.decorators.http import require_POST, require_safe

from soar.accounts.models import User
from soar.connectors.errors import NoConnector, Refused
from soar.connectors.intelligence.feeds import actions
from soar.connectors.intelligence.feeds.reading import LARGEST
from soar.connectors.models import ConnectorAccount

MANAGE = "accounts.manage_connectors"


class FileForm(forms.Form):
    """A file for a feed."""

    feed = forms.TypedChoiceField(label=gettext_lazy("Feed"), coerce=int)
    file = forms.FileField(
        label=gettext_lazy("File"), allow_empty_file=True, help_text=gettext_lazy("At most 64 MiB; gzip and zip too.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = ConnectorAccount.objects.filter(kind="feed").order_by("name").values_list("pk", "name")
        cast(forms.TypedChoiceField, self.fields["feed"]).choices = list(rows)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All feeds with what they brought."""
    _needs(request, "accounts.view_cases")
    return _page(request)


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Put the values of a file in place of a feed's."""
    user = _needs(request, MANAGE)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > LARGEST:
            form.add_error("file", _("A feed has at most 64 MiB."))
            return _page(request, status=400, form=form)
        try:
            state = actions.import_file(user, form.cleaned_data["feed"], file.read(), file.name)
        except Refused as error:
            form.add_error("file", str(error))
        else:
            words = _("%(name)s now has %(n)s values.") % {"name": state.account.name, "n": f"{state.entry_count:,}"}
            messages.success(request, words)
            return redirect("feed-index")
    return _page(request, status=400, form=form)


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
    messages.success(request, _("%s and its values are gone.") % name)
    return redirect("feed-index")


def _needs(request: HttpRequest, permission: str) -> User:
    user = cast(User, request.user)
    if not user.is_active or not user.has_perm(permission):
        raise PermissionDenied(permission)
    return user


def _page(request: HttpRequest, status: int = 200, form: FileForm | None = None) -> HttpResponse:
    manages = cast(User, request.user).has_perm(MANAGE)
    accounts = ConnectorAccount.objects.filter(kind="feed").select_related("feed").order_by("name")
    rows = [_row(account) for account in accounts]
    context = {
        "rows": rows,
        "total": sum(row["state"].entry_count for row in rows if row["state"]),
        "manages": manages,
        "form": form or FileForm(),
    }
    return render(request, "connectors/feeds.html", context, status=status)


def _row(account: ConnectorAccount) -> dict[str, Any]:
    state = getattr(account, "feed", None)
    return {"account": account, "state": state, "next_at": _next(account, state), "settings": account.settings}


def _next(account: ConnectorAccount, state: Any) -> datetime | None:
    """When it is brought next, None for one that is only brought by hand."""
    every = account.settings.get("every_minutes") or 0
    last = max(filter(None, (state.imported_at, state.failed_at)), default=None) if state else None
    return last + timedelta(minutes=every) if every and last and account.enabled else None
