"""Any product with an HTTP interface: a base address, a way to sign in, requests below it; and one action for playbooks
and people, if an admin says what its request is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.http import acting
from soar.connectors.kinds import Kind, Setting
from soar.connectors.models import ConnectorAccount
from soar.connectors.responder import Responder
from soar.lib.http import Answer, RemoteError, json_or_error

REHEARSED_KEY = "KEY-OF-THE-TASK"  # in requests that are only shown


class HttpConnector(Responder):
    """``connector("name").request("POST", "/hosts/7/isolate", json={"comment": "..."})``."""

    kind = "http"

    @classmethod
    def offers(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """See Responder: the action of this account, and its inverse."""
        return acting.served(settings)

    @classmethod
    def accepts(cls, account: ConnectorAccount, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """See Responder: the kinds of target that the account names."""
        named = acting.kinds_of(account.settings)
        return not named or not kind or kind in named

    def may_repeat(self, capability: str) -> bool:
        """See Responder: as the admin says of the product."""
        return bool(self.account.settings.get("repeatable"))

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        settings = self.account.settings
        sent = acting.request_of(settings, capability, target, params, key)
        again = self.may_repeat(capability)  # whatever the method: only the admin knows what the request does
        ours = self.tried(capability, key)
        answer = self.call(capability, sent.method, sent.path, idempotency_key=key, idempotent=again, **sent.content)
        undo = capability != settings.get("action")
        result = acting.result_of(self.account.name, settings, answer, undo=undo)
        if result.data.get("changed") is False and (ours or self.repeated(capability, key)):
            result.data["changed"] = True  # by a try of this very task whose answer was lost
        return result

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        sent = acting.request_of(self.account.settings, capability, target, params, REHEARSED_KEY)
        return [self.preview(sent.method, sent.path, **sent.content)["request"]]

    def check(self) -> str:
        """GET of the test path. Any answer below 400 is good. Raises ConnectorError."""
        answer = self.call("test", "GET", self.account.settings.get("test_path", ""))
        if answer.status >= 400:
            parsed(answer)
        return f"Answered {answer.status} in {answer.tries} {'try' if answer.tries == 1 else 'tries'}."

    def request(
        self,
        method: str,
        path: str = "",
        *,
        json: Any = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        operation: str = "",
        idempotency_key: str = "",
        idempotent: bool | None = None,
    ) -> Any:
        """Send and return the answer: JSON as Python values, plain text as text, None for an empty one.

        In a dry run: ``{"dry_run": True, "request": {...}}``, and nothing is sent.
        Raises ConnectorError for any status but 2xx and for HTML.
        """
        content = {"json": json, "params": params, "headers": headers}
        content = {key: value for key, value in content.items() if value is not None}
        if self.dry_run:
            return self.preview(method, path, **content)
        name = operation or f"{method.upper()} {path.partition('?')[0]}"
        answer = self.call(name, method, path, idempotency_key=idempotency_key, idempotent=idempotent, **content)
        return parsed(answer)


def parsed(answer: Answer) -> Any:
    """The body as Python values. Raises ConnectorError."""
    if answer.ok and answer.media_type.startswith("text/plain"):
        return answer.text
    try:
        return json_or_error(answer)
    except RemoteError as error:
        raise ConnectorError.of(error) from None


KIND = Kind(
    name="http",
    label=_("HTTP interface"),
    connector=HttpConnector,
    summary=_("An action of your own, requests of Python playbooks"),
    rules=acting.problems,
    settings=(Setting("test_path", _("Path that Test connection asks for")), *acting.SETTINGS),
    secrets=(
        Setting("token", _("Bearer token")),
        Setting("username", _("User name (HTTP Basic)")),
        Setting("password", _("Password (HTTP Basic)")),
    ),
)
