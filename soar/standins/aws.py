"""AWS IAM by its query interface: answers in XML, with the traps of the real one.

State: ``users`` (name -> arn, keys, policies); ``lag``: how many reads of a policy still miss what was just written;
``throttle``: how many calls are throttled; ``skew``: seconds by which its clock is ahead; ``calls``: how often each
action was done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote
from xml.sax.saxutils import escape

from soar.standins.base import Request, Response, Standin

ACCOUNT = "123456789012"
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<day>\d{8})/[\w-]+/iam/aws4_request, "
    r"SignedHeaders=(?P<names>[\w;-]+), Signature=[0-9a-f]{64}"
)
PAGE = 1  # access keys a page
Form = dict[str, str]


class Refusal(Exception):
    """An error of AWS."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Aws(Standin):
    """Every user is known, with one active key, unless the name begins with "unknown". The secret is not checked, but
    the form of the signature is; the session token "expired" has expired."""

    kind: ClassVar[str] = "aws"
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {"users": {}, "lag": 0, "missed": 0, "throttle": 0, "skew": 0, "calls": {}, "refused": []}

    def hurried(self) -> Response:
        return _error(Refusal(400, "Throttling", "Rate exceeded"))

    def refused(self, status: int) -> Response:
        if status == 401:
            return _error(
                Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
            )
        return _error(Refusal(403, "AccessDenied", "User is not authorized to perform: iam:ListAccessKeys"))

    def answer(self, request: Request) -> Response:
        """See Standin."""
        form = request.form()
        try:
            self._check(request)
            if self.state["throttle"] > 0:
                self.state["throttle"] -= 1
                raise Refusal(400, "Throttling", "Rate exceeded")
            return self._act(form)
        except Refusal as refusal:
            return _error(refusal)

    def _check(self, request: Request) -> None:
        match = SIGNED.fullmatch(request.headers.get("authorization", ""))
        stamp = request.headers.get("x-amz-date", "")
        if match is None or not stamp or "host" not in match["names"] or "x-amz-date" not in match["names"]:
            raise Refusal(403, "IncompleteSignature", "The request signature does not conform to AWS standards.")
        if request.headers.get("x-amz-security-token") == "expired":
            raise Refusal(403, "ExpiredToken", "The security token included in the request is expired")
        now = datetime.now(UTC) + timedelta(seconds=self.state["skew"])
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(now - signed_at) > timedelta(minutes=5):
            raise Refusal(403, "SignatureDoesNotMatch", f"Signature expired: {stamp} is now earlier than {now:%H:%M}")

    def _act(self, form: Form) -> Response:
        name = form.get("Action", "")
        acts: dict[str, Callable[[Form], str]] = {
            "GetUser": self._get_user,
            "GetAccessKeyLastUsed": self._holder,
            "ListAccessKeys": self._list_keys,
            "UpdateAccessKey": self._update_key,
            "GetUserPolicy": self._get_policy,
            "PutUserPolicy": self._put_policy,
            "DeleteUserPolicy": self._delete_policy,
        }
        if name not in acts:
            raise Refusal(400, "InvalidAction", f"Could not find operation {name}")
        if name in self.state.get("refused", ()):
            raise Refusal(
                409, "LimitExceeded", f"Maximum policy size of 2048 bytes exceeded for user {form['UserName']}"
            )
        result = acts[name](form)
        self.state["calls"][name] = self.state["calls"].get(name, 0) + 1
        return _xml(f"<{name}Response {SPACE}><{name}Result>{result}</{name}Result>{META}</{name}Response>")

    def _user(self, form: Form) -> dict[str, Any]:
        name = form.get("UserName", "soar")
        if name.startswith("unknown"):
            raise Refusal(404, "NoSuchEntity", f"The user with name {name} cannot be found.")
        fresh = {"arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "keys": {key_of(name): "Active"}, "policies": {}}
        user: dict[str, Any] = self.state["users"].setdefault(name, fresh)
        return user

    def _get_user(self, form: Form) -> str:
        user = self._user(form)
        return f"<User><UserName>{escape(form.get('UserName', 'soar'))}</UserName><Arn>{user['arn']}</Arn></User>"

    def _holder(self, form: Form) -> str:
        for name, user in self.state["users"].items():
            if form.get("AccessKeyId") in user["keys"]:
                return f"<UserName>{escape(name)}</UserName>"
        raise Refusal(403, "AccessDenied", "The access key is of another account")

    def _list_keys(self, form: Form) -> str:
        keys = sorted(self._user(form)["keys"].items())
        start = int(form.get("Marker") or 0)
        shown = "".join(
            f"<member><AccessKeyId>{key}</AccessKeyId><Status>{status}</Status></member>"
            for key, status in keys[start : start + PAGE]
        )
        more = start + PAGE < len(keys)
        marker = f"<Marker>{start + PAGE}</Marker>" if more else ""
        return f"<AccessKeyMetadata>{shown}</AccessKeyMetadata><IsTruncated>{str(more).lower()}</IsTruncated>{marker}"

    def _update_key(self, form: Form) -> str:
        keys = self._user(form)["keys"]
        if form.get("AccessKeyId") not in keys:
            raise Refusal(404, "NoSuchEntity", f"The Access Key with id {form.get('AccessKeyId')} cannot be found.")
        keys[form["AccessKeyId"]] = form["Status"]
        return ""

    def _get_policy(self, form: Form) -> str:
        name = form.get("PolicyName", "")
        if self.state["missed"] > 0:
            self.state["missed"] -= 1
            raise _no_policy(name)
        document = self._user(form)["policies"].get(name)
        if document is None:
            raise _no_policy(name)
        return f"<PolicyName>{name}</PolicyName><PolicyDocument>{escape(quote(document))}</PolicyDocument>"

    def _put_policy(self, form: Form) -> str:
        self._user(form)["policies"][form["PolicyName"]] = form["PolicyDocument"]
        self.state["missed"] = self.state["lag"]
        return ""

    def _delete_policy(self, form: Form) -> str:
        if self._user(form)["policies"].pop(form.get("PolicyName", ""), None) is None:
            raise _no_policy(form.get("PolicyName", ""))
        return ""


SPACE = 'xmlns="https://iam.amazonaws.com/doc/2010-05-08/"'
META = "<ResponseMetadata><RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ResponseMetadata>"


def key_of(name: str) -> str:
    """The access key that a user has from the beginning."""
    letters = re.sub("[^A-Z0-9]", "", name.upper())[:12]
    return f"AKIA{letters:0<16}"


def _no_policy(name: str) -> Refusal:
    return Refusal(404, "NoSuchEntity", f"The user policy with name {name} cannot be found.")


def _error(refusal: Refusal) -> Response:
    inner = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
    body = f"<ErrorResponse {SPACE}><Error>{inner}</Error><RequestId>x</RequestId></ErrorResponse>"
    return _xml(body, refusal.status)


def _xml(body: str, status: int = 200) -> Response:
    return Response(status, body.encode(), {"Content-Type": "text/xml"})
