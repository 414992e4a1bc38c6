"""One's own second factors: what there is, and taking a key off. Setting up is django-allauth's, in our templates."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe

from soar.accounts import audit
from soar.accounts.models import User
from soar.accounts.second_factor import is_asked_of, is_missing


@login_required
@require_safe
def factors(request: HttpRequest) -> HttpResponse:
    """What this person has. Who must have one first sees how to set it up, and nothing else."""
    user = request.user
    assert isinstance(user, User)
    if is_missing(request, user):
        return render(request, "accounts/factor_needed.html")
    rows = {kind: [] for kind in Authenticator.Type.values}  # type: dict[str, list[Any]]
    for row in Authenticator.objects.filter(user=user).order_by("created_at"):
        rows[row.type].append(row)
    codes = next(iter(rows[Authenticator.Type.RECOVERY_CODES]), None)
    context = {
        "app": next(iter(rows[Authenticator.Type.TOTP]), None),
        "keys": rows[Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": _left(codes),
        "asked": is_asked_of(user),
    }
    return render(request, "accounts/factors.html", context)


class _Recorded:
    """A view whose change and its row in the audit log are one."""

    verb = ""
    told: ClassVar[dict[str, str]] = {}
    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        """Do it and write it down."""
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            user = self.request.user
            assert isinstance(user, User)
            audit.record(user, self.verb, user.username, **self.told)
        return answer


class SetUpApp(_Recorded, ActivateTOTPView):  # type: ignore[misc]
    """Set up an authenticator app."""

    verb, told = "factor.added", {"type": "totp"}


class RemoveApp(_Recorded, DeactivateTOTPView):  # type: ignore[misc]
    """Take the app off."""

    verb, told = "factor.removed", {"type": "totp"}


class AddKey(_Recorded, AddWebAuthnView):  # type: ignore[misc]
    """Add a security key or passkey."""

    verb, told = "factor.added", {"type": "webauthn"}


class RenameKey(EditWebAuthnView):  # type: ignore[misc]
    """Call a key something else."""

    success_url = reverse_lazy("mfa_index")


class RemoveKey(_Recorded, RemoveWebAuthnView):  # type: ignore[misc]
    """Take a security key off; not the last one of whoever must have one."""

    verb, told = "factor.removed", {"type": "webauthn"}
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Asked once more right before, with what is there now."""
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return HttpResponseRedirect(self.get_success_url())
        return super().form_valid(form)


class NewCodes(_Recorded, GenerateRecoveryCodesView):  # type: ignore[misc]
    """Make new recovery codes; the old ones end."""

    verb = "factor.codes_made"


def _left(codes: Authenticator | None) -> int:
    """How many recovery codes are unused, without reading their seed."""
    from allauth.mfa import app_settings

    return app_settings.RECOVERY_CODE_COUNT - int(codes.data.get("used_mask", 0)).bit_count() if codes else 0
