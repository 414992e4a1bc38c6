"""Any product with an HTTP interface: a base address, a way to sign in, requests below it."""

from __future__ import annotations

from typing import Any

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.kinds import Kind, Setting
from soar.lib.http import Answer, RemoteError, json_or_error


class HttpConnector(Connector):
    """``connector("name").request("POST", "/hosts/7/isolate", json={"comment": "..."})``."""

    kind = "http"

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
    label="HTTP interface",
    connector=HttpConnector,
    summary="Requests of playbooks",
    settings=(Setting("test_path", "Path that Test connection asks for"),),
    secrets=(
        Setting("token", "Bearer token"),
        Setting("username", "User name (HTTP Basic)"),
        Setting("password", "Password (HTTP Basic)"),
    ),
)
