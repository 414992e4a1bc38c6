"""Settings of signing in: passwords, second factors, single sign-on, fresh logins (docs/admins.md, "Signing in").

``soar.settings`` takes all of them over.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from soar import env

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["soar.accounts.backend.Backend", "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None  # guardian: there is no anonymous person here
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# What stands in a session may be secret: the key of an authenticator app that is being set up, a form that waits.
SESSION_SERIALIZER = "soar.accounts.session_data.EncryptedSerializer"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.number("SOAR_SESSION_HOURS", 12, least=1) * 3600

# How many proxies of one's own stand before the portal: the caller is the so many-th last in X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("SOAR_PROXIES", 0)
LOGIN_RATE = env.number("SOAR_LOGIN_RATE", 10, least=1)  # refused logins and codes a minute, per address and name
ACCOUNT_ADAPTER = "soar.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds after a login in which second factors may be changed
ACCOUNT_FORMS = {
    "reset_password": "soar.accounts.reset_forms.ResetForm",
    "user_token": "soar.accounts.reset_forms.LinkForm",
    "reauthenticate": "soar.accounts.confirm_forms.PasswordForm",
}
# Counted in the database's cache, so for all web processes together.
ACCOUNT_RATE_LIMITS = {
    "login": f"{3 * LOGIN_RATE}/m/ip",
    "login_failed": f"{LOGIN_RATE}/m/ip,{LOGIN_RATE}/m/key",
    "reauthenticate": f"{LOGIN_RATE}/m/user",
    "change_password": f"{LOGIN_RATE}/m/user",
    "reset_password": f"{2 * LOGIN_RATE}/m/ip,5/h/key",
    "reset_password_from_key": f"{2 * LOGIN_RATE}/m/ip",
}
PASSWORD_RESET_TIMEOUT = env.number("SOAR_RESET_MINUTES", 60, least=1) * 60
# Who sends the portal's own mail: dotted functions () -> bool and (recipient, subject, text, link=, label=, key=).
MAIL_READY = "soar.connectors.portal_mail.ready"
MAIL_SEND = "soar.connectors.portal_mail.send"

# Encrypt anew what stands in fields of a library, after those of our own: functions () -> number of rows.
ROTATES = ["soar.accounts.factors.rotate"]
MFA_ADAPTER = "soar.accounts.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # accounts are made by admins: nobody can take an address by signing up
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off; no code works twice (soar.accounts.factor_forms)
MFA_TOTP_ISSUER = "Soar"
MFA_FORMS = {
    "activate_totp": "soar.accounts.factor_forms.ActivateForm",
    "authenticate": "soar.accounts.factor_forms.CodeForm",
    "reauthenticate": "soar.accounts.factor_forms.ConfirmCodeForm",
    "authenticate_webauthn": "soar.accounts.factor_forms.KeyForm",
    "reauthenticate_webauthn": "soar.accounts.factor_forms.ConfirmKeyForm",
    "add_webauthn": "soar.accounts.factor_forms.AddKeyForm",
    "edit_webauthn": "soar.accounts.factor_forms.RenameForm",
    "login_webauthn": "soar.accounts.factor_forms.PasskeyForm",
}

# Seconds after which a login is no longer fresh enough for what is below; 0: it always is.
FRESH_LOGIN_SECONDS = env.number("SOAR_FRESH_LOGIN_SECONDS", 0)
# What asks for a fresh login then (access.md 1), by URL names: of pages when they are posted to, and of forms with
# files already when they are opened, because a file that was chosen cannot be kept meanwhile.
FRESH_LOGIN_POSTS = {
    "playbook-enable", "playbook-publish", "playbook-run", "playbook-import", "alert-run", "incident-run", "alerts-run",
    "approval-decide", "run-decide", "response-new", "response-inverse", "response-decide", "response-secret",
    "response-file", "script-list", "script-remove", "token-create", "token-revoke", "connector-create",
    "connector-edit", "never-touch-remove", "profile", "person", "person-active", "person-hand-over", "person-new",
    "person-password", "person-sessions", "role", "role-list", "role-delete", "role-second-factor", "team",
    "team-list", "team-delete", "service-token", "any-token-revoke", "incident-grant", "incident-break-glass",
    "incident-hold", "retention-new", "retention-rule", "retention-delete", "run-retry", "response-resend",
    "incident-let-in",
    *(f"{thing}-access-{verb}" for thing in ("incident", "playbook", "connector", "source")
      for verb in ("grant", "change", "revoke", "copy", "close")),
}  # fmt: skip
FRESH_LOGIN_FORMS = {"script-list", "playbook-import"}
FRESH_LOGIN_CALLS = {  # of the API by a session, whatever changes something
    "api-playbook", "api-playbook-enable", "api-playbook-publish", "api-alert-run", "api-incident-run",
    "api-run-decide", "api-approval-approve", "api-approval-reject", "api-response-tasks",
    "api-response-task-inverse", "api-response-task-decide", "api-scripts", "api-script", "api-never-touch-rule",
    "api-tokens", "api-token", "api-connectors", "api-connector", "api-users", "api-user", "api-user-activate",
    "api-user-deactivate", "api-user-hand-over", "api-user-password", "api-user-tokens", "api-user-token",
    "api-roles", "api-role", "api-teams", "api-team", "api-incident-break-glass", "api-incident-hold",
    "api-incident-hold-lift", "api-retention-rules", "api-retention-rule", "api-playbooks", "api-run-retry",
    "api-response-task-resend", "api-entry-let-in",
    *(f"api-{thing}-{grant}" for thing in ("incident", "playbook", "connector", "source")
      for grant in ("access", "grant", "grants", "grants-copy", "grants-many")),
}  # fmt: skip

# Of these only what says so: the name in the form or body, and the value that asks for it (None: any).
FRESH_LOGIN_BODIES: dict[str, tuple[str, str | None]] = {
    "alert-bulk": ("action", "run"),
    "api-alerts-bulk": ("action", "run"),
    "api-incident": ("restricted", None),
}

# Single sign-on by OpenID Connect; off without an issuer.
OIDC_ISSUER = env.text("SOAR_OIDC_ISSUER", "").rstrip("/")
OIDC_CLIENT_ID = env.text("SOAR_OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.text("SOAR_OIDC_CLIENT_SECRET", "")
OIDC_NAME = env.text("SOAR_OIDC_NAME", "single sign-on")
OIDC_SCOPES = env.text("SOAR_OIDC_SCOPES", "openid profile email").split()
OIDC_ROLES_CLAIM = env.text("SOAR_OIDC_ROLES_CLAIM", "")
OIDC_ROLES = env.pairs("SOAR_OIDC_ROLES")  # what the claim says -> name of a role
OIDC_TEAMS_CLAIM = env.text("SOAR_OIDC_TEAMS_CLAIM", "")
OIDC_TEAMS = env.pairs("SOAR_OIDC_TEAMS")
OIDC_NEW_PEOPLE = env.flag("SOAR_OIDC_NEW_PEOPLE", False)  # whether people who are not known yet are made
OIDC_SECOND_FACTOR = env.flag("SOAR_OIDC_SECOND_FACTOR", False)  # whether its login counts as one with two factors
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("SOAR_OIDC_ISSUER is set, so SOAR_OIDC_CLIENT_ID has to be set too.")

SOCIALACCOUNT_ADAPTER = "soar.accounts.oidc.people.Adapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # soar.accounts.oidc.people decides who is who
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "provider_class": "soar.accounts.oidc.provider.Provider",
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER, "scope": OIDC_SCOPES, "oauth_pkce_enabled": True},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
