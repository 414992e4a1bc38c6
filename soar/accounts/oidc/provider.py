"""The provider: django-allauth's, with a nonce, ID tokens that are read each time, and errors in words."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from requests import RequestException

from soar.accounts.oidc import tokens

NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
KEPT = ("email", "name", "preferred_username")  # of the claims, beside the subject


class ProviderAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """How the provider is spoken to."""

    verifier = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself. Raises OAuth2Error when it is away or is another one."""
        if not hasattr(self, "_checked"):
            found = self._get(self.get_provider().server_url)
            if any(not isinstance(found.get(name), str) for name in NEEDED):
                raise OAuth2Error("the provider does not say where its endpoints are")
            if found["issuer"].rstrip("/") != settings.OIDC_ISSUER:
                raise OAuth2Error(f"the provider calls itself {found['issuer']!r}")
            self._checked = found
        return self._checked

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        """Change the code for tokens. Raises OAuth2Error."""
        self.verifier = pkce_code_verifier or ""
        try:
            found = super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)
        except RequestException as error:
            raise OAuth2Error("the provider cannot be reached") from error
        if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
            raise OAuth2Error("the provider gave no token")
        return found

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Whom the provider speaks of. Raises OAuth2Error for anything that is not to be trusted."""
        given = kwargs["response"].get("id_token")
        if not isinstance(given, str) or not self.verifier:
            raise OAuth2Error("the provider gave no ID token")
        config = self.openid_config
        keys = self._get(config["jwks_uri"])
        claims = tokens.read(
            given, keys, issuer=config["issuer"], client_id=app.client_id, nonce=nonce_of(self.verifier)
        )
        return self.get_provider().sociallogin_from_response(request, {**claims, **self._more(claims, token.token)})

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Where people come back to: at the portal's own address, whatever a request calls it."""
        return settings.SOAR_URL + reverse("openid_connect_callback", kwargs={"provider_id": self.provider_id})

    def _more(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """What the provider tells beyond the ID token, of the same person."""
        address = self.openid_config.get("userinfo_endpoint")
        if not isinstance(address, str):
            return {}
        found = self._get(address, {"Authorization": f"Bearer {access_token}"})
        if found.get("sub") != claims["sub"]:
            raise OAuth2Error("the provider speaks of two people")
        return {name: value for name, value in found.items() if name not in tokens.NEEDED and name != "auth_time"}

    def _get(self, address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            with get_adapter().get_requests_session() as session:
                answer = session.get(address, headers=headers or {})
                answer.raise_for_status()
                found = answer.json()
        except RequestException as error:
            raise OAuth2Error("the provider cannot be reached, or its answer cannot be read") from error
        if not isinstance(found, dict):
            raise OAuth2Error("the provider's answer cannot be read")
        return found


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """Setting ``SOCIALACCOUNT_PROVIDERS``."""

    oauth2_adapter_class = ProviderAdapter

    def get_pkce_params(self) -> dict[str, Any]:
        """The proof key, and a nonce that is derived from it, so that both are of one login."""
        found: dict[str, Any] = super().get_pkce_params()
        return {**found, "nonce": nonce_of(found["code_verifier"])}

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> Any:
        """allauth's, with all claims at hand for soar.accounts.oidc.people; they are not stored."""
        login = super().sociallogin_from_response(request, response)
        login.claims = response
        return login

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """What is kept with the account."""
        return {name: str(data[name])[:254] for name in KEPT if data.get(name)}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """None: soar.accounts.oidc.people decides what an address is worth."""
        return []


def nonce_of(verifier: str) -> str:
    """The nonce that belongs to a proof key, which nobody can tell from it."""
    digest = hashlib.sha256(b"soar nonce " + verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
