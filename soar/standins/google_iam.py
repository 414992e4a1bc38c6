"""Google Cloud IAM: service accounts and their keys, and the sign-in that exchanges a signed claim for a token.

State: ``accounts`` (unique id -> the service account, with its ``keys``); ``tokens``: how often each was used;
``uses``: after so many calls a token is at its end; ``keys``: public keys (PEM) by key id, against which claims are
checked, none for any; ``skew``: seconds by which its clock is ahead; ``lacks``: permissions that are missing;
``calls``: how often each thing was done."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from functools import cache
from typing import Any, ClassVar
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from soar.standins.arranged import Arranged, counted
from soar.standins.base import Request, Response, json_response

PROJECT = "practice-range"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PATH = re.compile(r"/v1/projects/([\w.:-]+)/serviceAccounts(?:/([^/:]+))?(?:/(keys)(?:/(\w+))?)?(?::(\w+))?")
STATUSES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
}  # fmt: skip
Account = dict[str, Any]


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@cache
def key_file(email: str = f"soar@{PROJECT}.iam.gserviceaccount.com") -> str:
    """The key file of a service account; its key is made when it is asked for first."""
    key = rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    told = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": _id(email),
    }
    return json.dumps({**told, "client_email": email, "private_key": key.private_bytes(*form).decode()})


class _Secrets:
    """No key stands in the code."""

    def __get__(self, instance: object, owner: type) -> dict[str, str]:
        return {"key_file": key_file()}


class GoogleIam(Arranged):
    """Every service account of the project is known, with two keys, unless its name begins with "unknown"."""

    kind: ClassVar[str] = "google_iam"
    settings: ClassVar[dict[str, str]] = {"project": PROJECT}
    secrets = _Secrets()
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {
            "accounts": {}, "tokens": {}, "uses": 0, "keys": {}, "skew": 0, "lacks": [], "calls": {}, "number": 0,
            "next": [],
        }  # fmt: skip

    def hurried(self) -> Response:
        return failure(429, "Quota exceeded for quota metric 'Write requests'")

    def refused(self, status: int) -> Response:
        if status == 401:
            return failure(401, "Request had invalid authentication credentials.")
        return failure(403, "Permission 'iam.serviceAccounts.disable' denied on resource (or it may not exist).")

    def gone(self, status: int) -> Response:
        return Response(
            status, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", {"Content-Type": "text/html"}
        )

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if request.path == "/token" and request.method == "POST":
            return self._grant(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        uses = self.state["tokens"].get(token)
        if uses is None or 0 < self.state["uses"] <= uses:
            return self.refused(401)
        self.state["tokens"][token] += 1
        match = PATH.fullmatch(unquote(request.path))
        if match is None:
            return self.gone(404)
        project, who, keys, key, verb = match.groups()
        if project != PROJECT:
            return failure(403, f"Permission denied on resource project {project}.")
        return self._about(request, who or "", keys or "", key or "", verb or "")

    def _grant(self, request: Request) -> Response:
        form = request.form()
        try:
            head, claims, signature, told = _parts(form["assertion"])
        except (KeyError, ValueError):
            return _no_grant("Invalid JWT: Failed to parse.")
        now = time.time() + self.state["skew"]
        if form.get("grant_type") != GRANT or not claims["aud"].endswith("/google_iam/token"):
            return _no_grant("Invalid JWT: Failed audience check.")
        if not claims["iat"] - 300 <= now <= claims["exp"] <= claims["iat"] + 3600:
            why = "Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            return _no_grant(f"Invalid JWT: {why} Check your iat and exp values in the JWT claim.")
        if self.state["keys"] and not _is_signed(self.state["keys"].get(head["kid"], ""), told, signature):
            return _no_grant("Invalid JWT Signature.")
        self.state["number"] += 1
        token = f"ya29.practice-google-{self.state['number']:04d}"
        self.state["tokens"][token] = 0
        return json_response({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _about(self, request: Request, who: str, keys: str, key: str, verb: str) -> Response:
        if not who:
            self._known("soar")
            return json_response({"accounts": [_shown(one) for one in self.state["accounts"].values()][:1]})
        account = self._found(who)
        if account is None:
            return failure(404, f"Unknown service account: {who}")
        if verb == "testIamPermissions":
            asked = request.json()["permissions"]
            return json_response({"permissions": [one for one in asked if one not in self.state["lacks"]]})
        if verb:
            return self._change(request, account, key, verb)
        if keys:
            return json_response({"keys": list(account["keys"].values())} if account["keys"] else {})
        return json_response(_shown(account))

    def _change(self, request: Request, account: Account, key: str, verb: str) -> Response:
        if request.body:
            return failure(400, "The request body must be empty.")
        if f"iam.serviceAccount{'Key' if key else ''}s.{verb}" in self.state["lacks"]:
            return self.refused(403)
        if key and key not in account["keys"]:
            return failure(404, f"Service account key {key} does not exist.")
        changed = account["keys"][key] if key else account
        if verb == "disable":
            changed["disabled"] = True
        else:
            changed.pop("disabled", None)  # what is false is left out
        counted(self.state["calls"], f"{verb} {'key' if key else 'account'}")
        return json_response({})

    def _found(self, who: str) -> Account | None:
        if who.isdigit():
            found: Account | None = self.state["accounts"].get(who)
            return found
        name, _, domain = who.partition("@")
        own = (f"{PROJECT}.iam.gserviceaccount.com", "developer.gserviceaccount.com")
        known = not name.startswith("unknown") and (domain in own or who == f"{PROJECT}@appspot.gserviceaccount.com")
        return self._known(name, domain) if known else None

    def _known(self, name: str, domain: str = f"{PROJECT}.iam.gserviceaccount.com") -> Account:
        email = f"{name}@{domain}"
        for account in self.state["accounts"].values():
            if account["email"] == email:
                found: Account = account
                return found
        unique = str(10**20 + len(self.state["accounts"]) + 1)
        place = f"projects/{PROJECT}/serviceAccounts/{email}"
        names = [_id(f"{email}/{number}") for number in (1, 2)]
        keys = {one: {"name": f"{place}/keys/{one}", "keyType": "USER_MANAGED"} for one in names}
        made = {"name": place, "projectId": PROJECT, "uniqueId": unique, "email": email, "keys": keys}
        self.state["accounts"][unique] = made
        return made


def _shown(account: Account) -> Account:
    return {name: value for name, value in account.items() if name != "keys"}


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, claims, signature = assertion.split(".")
    return json.loads(_raw(head)), json.loads(_raw(claims)), _raw(signature), f"{head}.{claims}".encode()


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_signed(public: str, told: bytes, signature: bytes) -> bool:
    if not public:
        return False
    key = serialization.load_pem_public_key(public.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(signature, told, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _no_grant(why: str) -> Response:
    return json_response({"error": "invalid_grant", "error_description": why}, 400)


def failure(status: int, message: str) -> Response:
    """An error as Google words it."""
    told = {"code": status, "message": message, "status": STATUSES.get(status, "INTERNAL")}
    return json_response({"error": told}, status)
