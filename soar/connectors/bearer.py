"""Calls that carry an access token, which the product gives for the account's credentials (OAuth 2). It is kept for all
processes and renewed once when it is refused."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.utils.crypto import salted_hmac

from soar.connectors import tokens
from soar.connectors.base import Connector
from soar.connectors.errors import ConnectorError
from soar.connectors.tokens import Access
from soar.lib.http import Answer


class Bearer(Connector):
    """A kind says in ``ask_for_token`` how one is got. ``token_settings``: those that a token is good for, besides all
    secrets. ``_elsewhere``: the address of the sign-in, while that is called."""

    token_settings: ClassVar[tuple[str, ...]] = ("url",)
    _access: Access | None = None
    _elsewhere = ""

    def ask_for_token(self) -> Access:
        """One request for a token, made by ``signing_in``. Raises ConnectorError."""
        raise ConnectorError(f"{self.account.name} has no way to sign in.", permanent=True)

    def token_place(self) -> str:
        """The address that gives tokens; here the product itself."""
        return super().address()

    def call(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """See Connector. A token that is refused, as one that ends between two pages, is renewed once."""
        if self._elsewhere or self.dry_run or not self.account.enabled:
            return super().call(operation, method, path, **options)
        self._take_token("")
        answer = super().call(operation, method, path, **options)
        if answer.status != 401 or self._access is None:
            return answer
        self._take_token(self._access.token)
        return super().call(operation, method, path, **options)

    def signing_in(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """A call to where tokens are given, without one."""
        self._elsewhere, self._access = self.token_place(), None
        try:
            return self.call(operation, method, path, kept=False, **options)
        finally:
            self._elsewhere = ""

    def access_token(self) -> str:
        """The token of the moment. Raises ConnectorError."""
        self._take_token("")
        return self._access.token if self._access else ""

    def _take_token(self, refused: str) -> None:
        if self._access is None or refused or not self._access.fresh():
            self._access = tokens.held(self.account, self._mark(), lambda _: self.ask_for_token(), refused)

    def _mark(self) -> str:
        settings = {name: self.account.settings.get(name) for name in self.token_settings}
        told = json.dumps([self.kind, settings, dict(self.account.secrets)], sort_keys=True)
        return salted_hmac("soar.connectors.bearer", told, algorithm="sha256").hexdigest()

    def address(self) -> str:
        """See Connector."""
        return self._elsewhere or super().address()

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """See Connector."""
        return ({"Authorization": f"Bearer {self._access.token}"} if self._access else {}), None

    def hidden(self) -> list[str]:
        """See Connector; the token of the moment too."""
        return [*super().hidden(), *([self._access.token] if self._access else [])]
