"""An OpenID provider over HTTP that can be told to answer as it must not: the traps of single sign-on."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "soar"


class Provider:
    """``claims``: of whoever signs in. ``token``: what is changed in the ID token; None takes a claim out of it.
    ``forged``: signed by a key that is not published. ``algorithm``: "none" or "HS256" instead of RS256. ``fault``: an
    endpoint that answers 500. ``info``: what the userinfo endpoint says beside the claims."""

    def __init__(self) -> None:
        self.key, self.other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        self.claims: dict[str, Any] = {"sub": "s-1", "email": "mara@corp.example", "email_verified": True}
        self.token: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.forged = False
        self.algorithm = "RS256"
        self.fault = ""
        self.issuer = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Away."""
        self.server.shutdown()
        self.server.server_close()

    def agree(self, address: str) -> str:
        """What a person does at the provider: sign in. Returns the path to which the browser is sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{urlencode({'code': code, 'state': asked['state']})}"

    def configuration(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.issuer or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        """The public key."""
        key = json.loads(str(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())))
        return {"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def change(self, given: dict[str, str]) -> dict[str, Any] | None:
        """A code for tokens; None when the proof does not fit."""
        asked = self.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if asked is None or asked["code_challenge"] != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            return None
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "auth_time": now}
        claims = {**claims, **self.claims, "nonce": asked["nonce"], **self.token}
        claims = {name: value for name, value in claims.items() if value is not None}
        key: Any = self.other if self.forged else self.key
        if self.algorithm == "HS256":
            key = "a secret that anybody could know, as long as needed"
        token = jwt.encode(claims, "" if self.algorithm == "none" else key, self.algorithm, headers={"kid": "one"})
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers: dict[str, Callable[[], dict[str, Any]]] = {
                "/.well-known/openid-configuration": provider.configuration,
                "/keys": provider.keys,
                "/userinfo": lambda: {**provider.claims, **provider.info},
            }
            path = urlsplit(self.path).path
            found: dict[str, Any] | None = answers[path]() if path in answers else None
            self.say(found, path)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.say(provider.change({name: values[0] for name, values in parse_qs(body).items()}), self.path)

        def say(self, found: dict[str, Any] | None, path: str) -> None:
            status = 500 if path == provider.fault else 200 if found is not None else 400
            body = json.dumps(found or {"error": "invalid_grant"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler
