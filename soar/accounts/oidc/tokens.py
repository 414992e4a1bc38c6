"""Reading ID tokens (OpenID Connect Core 3.1.3.7): signature, issuer, audience, times and nonce, each every time."""

from __future__ import annotations

import hmac
from typing import Any

import jwt
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

# Signatures by a key that only the provider has. None of them can be made with what anybody may read.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY = 60  # seconds that the clocks may be apart
NEEDED = ["exp", "iat", "iss", "aud", "sub"]


def read(token: str, keys: dict[str, Any], *, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token. ``keys`` is the provider's JWKS. Raises OAuth2Error for what is not to be trusted."""
    try:
        key = _key_of(jwt.get_unverified_header(token), keys)
        claims: dict[str, Any] = jwt.decode(
            token, key=key, algorithms=ALGORITHMS, issuer=issuer, audience=client_id, leeway=LEEWAY,
            options={"require": NEEDED},
        )  # fmt: skip
    except (jwt.PyJWTError, TypeError, ValueError, KeyError) as error:
        raise OAuth2Error(f"the ID token is not right: {error}") from error
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise OAuth2Error("the ID token is an answer to another question (nonce)")
    if claims.get("azp", client_id) != client_id:
        raise OAuth2Error("the ID token was made for another program (azp)")
    return claims


def _key_of(header: dict[str, Any], keys: dict[str, Any]) -> jwt.PyJWK:
    if header.get("alg") not in ALGORITHMS:
        raise OAuth2Error("the ID token is not signed as it should be")
    fit = [one for one in jwt.PyJWKSet.from_dict(keys).keys if one.public_key_use in (None, "sig")]
    kid = header.get("kid")
    named = [one for one in fit if one.key_id == kid] if kid is not None else fit
    if len(named) != 1:
        raise OAuth2Error("the ID token is signed by a key that the provider does not name")
    return named[0]
