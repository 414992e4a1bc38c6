"""Addresses of signing in: django-allauth's pages that are here, second factors, single sign-on."""

from __future__ import annotations

from allauth.account import urls as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes.views import view_recovery_codes
from allauth.mfa.webauthn import views as keys
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, path

from soar import views
from soar.accounts import views_factors as factors
from soar.accounts.oidc import views as oidc
from soar.accounts.views_reset import if_there_is_mail

Patterns = list[URLPattern | URLResolver]
PAGES = ("account_login", "account_logout", "account_change_password", "account_reauthenticate", "account_inactive")
RESET = (
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done",
)  # fmt: skip


def _account() -> Patterns:
    """The other pages (signing up, e-mail addresses) are not there; their names stay, because allauth asks for them."""
    found: Patterns = []
    for page in account.urlpatterns:
        view = page.callback if page.name in PAGES else views.nothing
        if page.name in RESET:
            view = if_there_is_mail(page.callback)
        found.append(URLPattern(page.pattern, view, name=page.name))
    return found


urlpatterns: Patterns = [
    path("2fa/", factors.factors, name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/app/activate/", factors.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("2fa/app/deactivate/", factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("2fa/codes/", view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/codes/generate/", factors.NewCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("2fa/keys/", factors.factors, name="mfa_list_webauthn"),
    path("2fa/keys/add/", factors.AddKey.as_view(), name="mfa_add_webauthn"),
    path("2fa/keys/reauthenticate/", keys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("2fa/keys/login/", login_not_required(keys.login_webauthn), name="mfa_login_webauthn"),
    path("2fa/keys/<int:pk>/rename/", factors.RenameKey.as_view(), name="mfa_edit_webauthn"),
    path("2fa/keys/<int:pk>/remove/", factors.RemoveKey.as_view(), name="mfa_remove_webauthn"),
    path("oidc/", oidc.login, name="oidc_login"),
    path("oidc/confirm/", oidc.confirm, name="oidc_confirm"),
    path("<slug:provider_id>/login/callback/", oidc.callback, name="openid_connect_callback"),
    path("oidc/cancelled/", views.nothing, name="socialaccount_login_cancelled"),
    *_account(),
]
