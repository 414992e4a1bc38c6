"""Verbs of a connector account: on, off, test. Each is a POST."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from soar.connectors import actions
from soar.connectors.views_accounts import found_for, user_of


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
