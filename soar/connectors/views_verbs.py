"""Verbs of a connector account: on, off, test, remove. Each is a POST; removing asks first."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from soar.connectors import actions
from soar.connectors.errors import NoConnector
from soar.connectors.removal import InUse, remove_account
from soar.connectors.showing import kind_label
from soar.connectors.uses import uses_of
from soar.connectors.views_accounts import found_for, gone, user_of


@require_POST
def connector_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it be used."""
    account = found_for(request, pk)
    actions.update_account(user_of(request), pk, enabled=True)
    messages.success(request, _("%s is in use.") % account.name)
    return redirect("connector-detail", pk)


@require_POST
def connector_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Let nothing be sent by it; of one that Soar switched off, that this is how it stays."""
    account = found_for(request, pk)
    actions.update_account(user_of(request), pk, enabled=False)
    messages.success(request, _("%s is off: nothing is sent by it.") % account.name)
    return redirect("connector-detail", pk)


@require_POST
def connector_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Test the connection, outside of any transaction, and show what was found."""
    account = found_for(request, pk)
    health = actions.test_account(user_of(request), pk)
    said = {"name": account.name, "message": health.message, "milliseconds": health.milliseconds}
    if health.ok:
        messages.success(request, _("%(name)s works: %(message)s (%(milliseconds)s ms)") % said)
    else:
        messages.error(request, _("%(name)s does not work: %(message)s") % said)
    return redirect("connector-detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def connector_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what uses it, or ask once more and take it away. One that is gone already is no error."""
    user = user_of(request)
    if not user.has_perm("accounts.manage_connectors"):
        raise PermissionDenied
    if gone(pk):
        return redirect("connector-detail", pk)
    account, status = found_for(request, pk), 200
    uses = uses_of(account)
    if request.method == "POST":
        try:
            remove_account(user, pk)
        except InUse as error:
            uses, status = error.uses, 409
        except NoConnector:
            return redirect("connector-detail", pk)
        else:
            messages.success(request, _("%s is removed. Its calls stay readable.") % account.name)
            return redirect("connector-list")
    context = {"account": account, "kind": kind_label(account.kind), "uses": uses}
    return render(request, "connectors/remove.html", context, status=status)
