"""Connector accounts in the browser: list, one, new, changed (connectors.md 1). For those who manage them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from soar.accounts.models import User
from soar.connectors import actions, selectors, showing
from soar.connectors.account_form import AccountForm
from soar.connectors.channel import Channel
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.intelligence.feeds.source import FeedSource
from soar.connectors.intelligence.providers.base import Provider
from soar.connectors.kinds import Kind
from soar.connectors.models import ConnectorAccount
from soar.connectors.registry import KINDS
from soar.connectors.responder import Responder
from soar.connectors.route_form import routes_context
from soar.connectors.selectors import managed_by, manages, read_by
from soar.lib import clock
from soar.lib.keyset import Order
from soar.lib.paging import asked, paged

BY_NAME = Order("name", ("name", "id"), descending=False, folded=("name",))
DAY = timedelta(hours=24)
ATTEMPTS = 50
REMOVED = 50
RATING = (Provider, FeedSource)


@require_safe
def connector_list(request: HttpRequest) -> HttpResponse:
    """The accounts that the person may read, by name, with state and reason, and the rules of routing. ``?q=`` is in
    the name or the kind."""
    return show_list(request)


def show_list(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """The list; ``more`` is a form of its page that was refused."""
    user = user_of(request)
    accounts = read_by(user)
    if not user.has_perm("accounts.manage_connectors") and not accounts.exists():
        _reading(request)
    since = clock.now() - DAY
    failed = Q(attempts__started_at__gt=since) & Q(attempts__status__in=("unsuccessful", "unknown_outcome"))
    counted = _named(accounts, text := asked(request.GET)).annotate(
        calls=Count("attempts", filter=Q(attempts__started_at__gt=since)), failures=Count("attempts", filter=failed)
    )
    page = paged(request, counted, BY_NAME, keep={"q": text})
    all_of_them = user.has_perm("accounts.manage_connectors")
    context = {
        "rows": [_row(account) for account in page.rows],
        "page": page,
        "total": accounts.count(),
        "q": text,
        "may_create": all_of_them,
        "removed": _removed() if all_of_them else [],
        **routes_context(request, user),
        **more,
    }
    return render(request, "connectors/index.html", context, status=status)


def _named(accounts: QuerySet[ConnectorAccount], text: str) -> QuerySet[ConnectorAccount]:
    """Those with the text in their name or in the name of their kind; all without a text."""
    kinds = [one.name for one in KINDS.values() if text.casefold() in one.label.casefold()]
    return accounts.filter(Q(name__icontains=text) | Q(kind__in=kinds)) if text else accounts


@require_safe
def connector_kinds(request: HttpRequest) -> HttpResponse:
    """Which kind the new one is of."""
    _creating(request)
    groups = {
        _("Act on things"): [one for one in KINDS.values() if issubclass(one.connector, Responder)],
        _("Tell people"): [one for one in KINDS.values() if issubclass(one.connector, Channel)],
        _("Rate values"): [one for one in KINDS.values() if issubclass(one.connector, RATING)],
        _("Ask and call"): [
            one for one in KINDS.values() if not issubclass(one.connector, (Responder, Channel, *RATING))
        ],
    }
    return render(
        request, "connectors/kinds.html", {"groups": {label: kinds for label, kinds in groups.items() if kinds}}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def connector_create(request: HttpRequest, kind: str) -> HttpResponse:
    """The form of a kind; a good one leads to the page of the new account."""
    _creating(request)
    found = _kind(kind)
    form = AccountForm(request.POST if request.method == "POST" else None, kind=found)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        made = _tried(form, lambda: actions.create_account(
            user_of(request), found.name, name, form.settings(), form.secrets()
        ))  # fmt: skip
        if made is not None:
            messages.success(request, _("Added. Test the connection now."))
            return redirect("connector-detail", made.pk)
    return _form(request, form)


@require_safe
def connector_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: state, settings, what it can do; for who manages it the calls of the last day, which may tell of
    any case."""
    account = gone(pk) if user_of(request).has_perm("accounts.manage_connectors") else None
    account = account or _readable(request, pk)
    recent = account.attempts.order_by("-started_at", "-pk")
    if account.removed_at is None:
        recent = recent.filter(started_at__gt=clock.now() - DAY)
    context = {
        "account": account,
        "may_change": account.removed_at is not None or manages(user_of(request), account),
        "kind": showing.kind_label(account.kind),
        "state": showing.state_of(account),
        "does": showing.does(account),
        "serves": showing.serves(account),
        "facts": showing.facts(account),
        "secrets": [one for one in showing.secret_names(account) if one != "url"],
        "attempts": showing.attempt_rows(user_of(request), list(recent[:ATTEMPTS])),
        "attempt_count": recent.count(),
        "shown": ATTEMPTS,
    }
    return render(request, "connectors/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def connector_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of an account that is there. A secret that is left empty stays as it is."""
    account = found_for(request, pk)
    before = set(account.readable_secrets())
    form = AccountForm(request.POST if request.method == "POST" else None, kind=_kind(account.kind), account=account)
    if request.method == "POST" and form.is_valid():
        changed = _tried(form, lambda: actions.update_account(
            user_of(request), pk, name=form.cleaned_data["name"], settings=form.settings(), secrets=form.secrets()
        ))  # fmt: skip
        if changed is not None:
            _saved(request, before - set(changed.secrets) - set(form.secrets()))
            return redirect("connector-detail", pk)
    return _form(request, form, account=account)


def user_of(request: HttpRequest) -> User:
    """Who asks."""
    return cast(User, request.user)


def found_for(request: HttpRequest, pk: int) -> ConnectorAccount:
    """The account, for those who manage it. Others are told that they may not, whether it is there or not."""
    user = user_of(request)
    account = managed_by(user).filter(pk=pk).first()
    if account is not None:
        return account
    if user.has_perm("accounts.manage_connectors"):
        raise Http404
    raise PermissionDenied


def _readable(request: HttpRequest, pk: int) -> ConnectorAccount:
    return read_by(user_of(request)).filter(pk=pk).first() or found_for(request, pk)


def _reading(request: HttpRequest) -> None:
    if not user_of(request).has_perm("accounts.view_setup"):
        raise PermissionDenied


def gone(pk: int) -> ConnectorAccount | None:
    """The account, if it was removed: for those who manage all of them."""
    return selectors.removed().filter(pk=pk).first()


def _removed() -> list[dict[str, Any]]:
    return [{"account": one, "kind": showing.kind_label(one.kind)} for one in selectors.removed()[:REMOVED]]


def _row(account: ConnectorAccount) -> dict[str, Any]:
    counts: Any = account
    return {
        "account": account,
        "kind": showing.kind_label(account.kind),
        "state": showing.state_of(account),
        "does": showing.does(account),
        "calls": counts.calls,
        "failures": counts.failures,
    }


def _creating(request: HttpRequest) -> None:
    if not user_of(request).has_perm("accounts.manage_connectors"):
        raise PermissionDenied


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _tried(form: AccountForm, act: Any) -> ConnectorAccount | None:
    try:
        done: ConnectorAccount = act()
    except Forbidden:
        raise PermissionDenied from None
    except Refused as error:
        form.refuse(error)
        return None
    return done


def _saved(request: HttpRequest, gone: set[str]) -> None:
    """Whoever moves an account has to give its secrets anew; the page says so instead of failing later."""
    if gone:
        text = _("Saved. The address is another one, so these secrets were removed: %s.") % ", ".join(sorted(gone))
        messages.warning(request, text)
    else:
        messages.success(request, _("Saved"))


def _form(request: HttpRequest, form: AccountForm, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    context |= {"form": form, "kind": form.kind, "groups": form.groups()}
    return render(request, "connectors/form.html", context, status=status)
