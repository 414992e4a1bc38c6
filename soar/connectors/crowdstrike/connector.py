"""CrowdStrike Falcon, by its public API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.capabilities import HASH
from soar.connectors.crowdstrike.analysing import ENVIRONMENTS, SAMPLES, Analysing
from soar.connectors.crowdstrike.analysing import SUBMITTED as SANDBOX
from soar.connectors.crowdstrike.api import FalconError, rules
from soar.connectors.crowdstrike.collecting import FILES
from soar.connectors.crowdstrike.containing import QUERY, WISHES
from soar.connectors.crowdstrike.indicators import COMBINED, Indicators
from soar.connectors.crowdstrike.scripts import QUERY as SCRIPTS
from soar.connectors.crowdstrike.sessions import QUERY as SESSIONS
from soar.connectors.kinds import Kind, Setting

BLOCKED = frozenset({"md5", "sha256"})
# What an account does only where its setting of this name says so.
WITHIN = {
    "real_time_response": frozenset({"collect_file", "terminate_process", "run_script", "sandbox_file"}),
    "sandbox": frozenset({"sandbox_file", "sandbox_url"}),
}
OPEN = {"real_time_response": "Real Time Response", "sandbox": "sandbox"}
NOBODY = "00000000-0000-0000-0000-000000000000"


class CrowdStrike(Analysing, Indicators):
    """Each part takes what is its own and hands on the rest."""

    kind = "crowdstrike"
    serves: ClassVar[frozenset[str]] = frozenset({*WISHES, "block", "unblock"}).union(*WITHIN.values())
    repeatable: ClassVar[frozenset[str]] = serves - {"run_script"}

    @classmethod
    def offers(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """See Responder. A file gets to the sandbox by Real Time Response, so it takes both."""
        closed = [names for setting, names in WITHIN.items() if settings.get(setting) is not True]
        return cls.serves.difference(*closed)

    @classmethod
    def takes(cls, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """See Responder. Falcon can only watch for addresses, not block them, and takes no SHA-1."""
        if capability not in {"block", "unblock"}:
            return True
        return kind == HASH and str(facts.get("type") or "sha256") in BLOCKED

    def check(self) -> str:
        """Sign in and read with each scope that is needed. Raises ConnectorError."""
        self.get("test", QUERY, params={"limit": 1})
        missing = [scope for scope, method, path, content in self._probes() if not self._may(method, path, content)]
        if not missing:
            more = [label for name, label in OPEN.items() if self.account.settings.get(name) is True]
            text = f" Open to the API client: {', '.join(more)}." if more else ""
            return f"Falcon takes the credentials and shows its hosts and indicators.{text}"
        word = "scope" if len(missing) == 1 else "scopes"
        return (
            f"Falcon takes the credentials and shows its hosts. The API client lacks the {word} {', '.join(missing)}."
        )

    def _probes(self) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """Scope, and a call that needs it and changes nothing."""
        first = {"params": {"limit": 1}}
        yield "IOC Management", "GET", COMBINED, first
        if self.account.settings.get("real_time_response") is True:
            yield "Real time response (read)", "GET", SESSIONS, first
            yield "Real time response (write)", "GET", FILES, {"params": {"session_id": NOBODY}}
            yield "Real time response (admin)", "GET", SCRIPTS, first
        if self.account.settings.get("sandbox") is True:
            yield "Sandbox (Falcon Intelligence)", "GET", SANDBOX, first
            yield "Sample uploads", "POST", SAMPLES, {"json": {"sha256s": ["0" * 64]}}

    def _may(self, method: str, path: str, content: dict[str, Any]) -> bool:
        """Whether Falcon lets the API client do this; what it says else is another matter. Raises FalconError."""
        try:
            (self.get if method == "GET" else self.look)("test", path, **content)
        except FalconError as error:
            if error.status not in {400, 403, 404}:
                raise
            return error.status != 403
        return True


KIND = Kind(
    name="crowdstrike",
    label=_("CrowdStrike Falcon"),
    connector=CrowdStrike,
    address=Setting(
        "url",
        _("Address of your Falcon cloud"),
        form="url",
        required=True,
        default="https://api.crowdstrike.com",
    ),
    settings=(
        Setting("member_cid", _("Customer ID of a child, where the API client is of a parent (Flight Control)")),
        Setting(
            "real_time_response",
            _("Fetch files, end processes and run scripts on hosts (Real Time Response)"),
            form="flag",
            default=False,
        ),
        Setting("sandbox", _("Have addresses and files analysed by Falcon's sandbox"), form="flag", default=False),
        Setting(
            "environment",
            _("Where it runs them: 160 Windows 10, 110 and 100 Windows 7, 300 Linux, 200 Android"),
            form="choice",
            choices=ENVIRONMENTS,
            default=ENVIRONMENTS[0],
        ),
    ),
    secrets=(
        Setting("client_id", _("Client ID"), required=True),
        Setting("client_secret", _("Client secret"), required=True),
    ),
    rules=rules,
)
