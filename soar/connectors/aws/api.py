"""Signed calls of IAM, answers understood."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from soar.connectors.aws import xml
from soar.connectors.aws.signing import Credentials, signed
from soar.connectors.base import ConnectorError
from soar.connectors.responder import Responder
from soar.lib import clock
from soar.lib.http import Answer

VERSION = "2010-05-08"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
BUSY = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"}
LATER = {
    "ServiceUnavailable",
    "ServiceFailure",
    "InternalFailure",
    "EntityTemporarilyUnmodifiable",
    "ConcurrentModification",
}
CLOCK = {"SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException"}
WORDS = {
    "ExpiredToken": "The session token for AWS has expired; set a new one",
    "ExpiredTokenException": "The session token for AWS has expired; set a new one",
    "InvalidClientTokenId": "AWS does not know the access key",
    "UnrecognizedClientException": "AWS does not know the access key",
    "AccessDenied": "The access key lacks a right in AWS",
    "AccessDeniedException": "The access key lacks a right in AWS",
}
PAUSES = (0.2, 0.8)  # between tries of a call that was throttled
MISSING = "NoSuchEntity"


class AwsError(ConnectorError):
    """``code``: the error's name at AWS, "" when it told none."""

    code = ""


class Iam(Responder):
    """One action of IAM a call."""

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """Nothing for all requests alike: each is signed by itself."""
        return {}, None

    def credentials(self) -> Credentials:
        """Those of the account. Raises ConnectorError when they are not set."""
        secrets = self.account.secrets
        key_id, secret = str(secrets.get("client_id") or ""), str(secrets.get("client_secret") or "")
        if not key_id or not secret:
            raise ConnectorError("The access key for AWS is not set.", permanent=True)
        return Credentials(key_id, secret, str(secrets.get("token") or ""))

    def action(self, name: str, *, key: str = "", **params: str) -> Element:
        """The answer to one action. Raises AwsError; a throttled call is tried thrice."""
        for pause in (*PAUSES, None):
            answer = self.call(
                f"iam.{name}", "POST", "", idempotency_key=key, idempotent=True, **self.signed(name, params)
            )
            try:
                return _understood(answer)
            except AwsError as error:
                if error.code not in BUSY or pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def signed(self, name: str, params: dict[str, str]) -> dict[str, Any]:
        """Body and headers of one action."""
        body = urlencode({"Action": name, "Version": VERSION, **params})
        url = str(self.account.settings.get("url", "")).rstrip("/")
        headers = signed(
            "POST",
            url,
            {"Content-Type": FORM},
            body.encode(),
            self.credentials(),
            region=str(self.account.settings.get("region") or "us-east-1"),
            service="iam",
            at=clock.now(),
        )
        return {"content": body, "headers": headers}


def _understood(answer: Answer) -> Element:
    if answer.ok:
        try:
            return xml.parsed(answer.text)
        except ValueError:
            raise AwsError("AWS answered with something that is not XML.", permanent=False) from None
    code, message = xml.error_of(answer.text)
    said = answer.redactor.text(": ".join(part for part in (code, message) if part) or _rest(answer), at_most=400)
    error = AwsError(
        f"{_words(code, answer)} ({said}).",
        permanent=answer.status < 500 and answer.status != 429 and code not in BUSY | LATER,
        status=answer.status,
        retry_after=5.0 if code in BUSY or answer.status == 429 else None,
    )
    error.code = code
    raise error


def _words(code: str, answer: Answer) -> str:
    if code in CLOCK:
        return f"AWS does not take the signature: the secret key is wrong, or the clock here is{_skew(answer)}"
    if code in BUSY or answer.status == 429:
        return "AWS counts too many requests; it is asked again later"
    return WORDS.get(code, f"AWS answered {answer.status}")


def _skew(answer: Answer) -> str:
    """How far our clock is from AWS's, by the date of the answer."""
    try:
        there = parsedate_to_datetime(str(answer.headers.get("date", ""))).astimezone(UTC)
    except ValueError:
        return " wrong"
    seconds = round(abs((clock.now() - there).total_seconds()))
    return f" {seconds} seconds off theirs"


def _rest(answer: Answer) -> str:
    return "an HTML page" if "html" in answer.media_type else answer.text.strip()[:200] or "nothing more"
