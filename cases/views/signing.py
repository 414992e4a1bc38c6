"""The keys that sign exports, in the browser: whoever sees cases sees the public halves (rulings 14)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actions.signing import rotate
from cases.actors import Actor
from cases.models import SigningKey
from cases.reporting.archive import VERIFIER
from cases.views.parts import needs, person_of
from soar.accounts.membership import may

sees = needs("view_cases")
manages = needs("manage_settings")


@sees
@require_safe
def key_list(request: HttpRequest) -> HttpResponse:
    """Every key there was, the one that signs first."""
    keys = list(SigningKey.objects.defer("private_key"))
    context = {"keys": keys, "manages": may(person_of(request), "manage_settings")}
    return render(request, "cases/signing/list.html", context)


@manages
@require_POST
def key_rotate(request: HttpRequest) -> HttpResponse:
    """Replace the key, or make the first."""
    made = rotate(Actor.of(person_of(request)))
    messages.success(request, _("Exports are signed with the key %s from now on.") % made.key_id)
    return redirect("signing-keys")


@sees
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The script that checks an archive, from here: the one inside an archive is only as good as the archive."""
    answer = HttpResponse(VERIFIER.read_bytes(), content_type="text/x-python; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="verify.py"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
