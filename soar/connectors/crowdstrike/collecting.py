"""A file fetched from a host: ``get`` in a session, then the archive that Falcon keeps of it (7z, a fixed password)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from soar.connectors.capabilities import Collected, Result, Target
from soar.connectors.crowdstrike.api import FalconError, Row, objects
from soar.connectors.crowdstrike.sessions import ACT, BASE, SESSIONS, Place, Sessions, command_of, quoted_path
from soar.connectors.paths import full_path, program_of

FILES, CONTENT = f"{BASE}/entities/file/v2", f"{BASE}/entities/extracted-file-contents/v1"
GET = "get"
PASSWORD = "infected"  # noqa: S105  of every archive, for all customers: it keeps programs from running by accident
FETCHES = "Falcon fetches the file from the host."


class Collecting(Sessions):
    """Fetching a file twice harms nothing; after a lost answer the command is looked for in the log of the session."""

    def perform(self, capability: str, target: Target, params: Row, *, key: str) -> Result:
        """See Responder."""
        if capability != "collect_file":
            return super().perform(capability, target, params, key=key)
        return self.fetching(capability, target, params, Place(GET, "", "", ""), key)

    def fetching(self, capability: str, target: Target, params: Row, begin: Place, key: str) -> Result:
        """Ask the host for the file. ``begin``: step and tag by which it is followed. Raises ConnectorError."""
        path = full_path(target, params, "Falcon")
        line = f"get {quoted_path(path)}"
        host = self.host_of(target, capability)
        session = self.session_with(host, capability)
        request = self.command(capability, ACT, session, line, key=key)
        place = Place(begin.step, str(host["device_id"]), session, request, path, begin.tag)
        sent = {"method": "POST", "path": f"/{BASE}/entities/{ACT}/v1", "body": command_of(session, line)}
        return Result("accepted", FETCHES, str(place), "sent", sent, {"cloud_request_id": request})

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        if capability != "collect_file":
            return super().poll(capability, reference)
        place = Place.of(reference)
        file, so_far = self.fetched(place, capability)
        if file is None:
            return so_far
        name = program_of(place.rest)
        data = {
            "file": {"path": place.rest, "sha256": file["sha256"], "size": file.get("size"), "session": place.session}
        }
        text = f"Falcon has {name} in a 7z archive; its password is shown when asked for."
        return Result("done", text, reference, "complete", data=data, secret={"password": PASSWORD})

    def fetched(self, place: Place, operation: str) -> tuple[Row | None, Result]:
        """What Falcon has of the file once it is whole; else how far it is. Raises FalconError."""
        outcome = self.outcome(operation, ACT, place.request)
        if outcome.complete and outcome.stderr.strip():
            return None, Result("failed", f"The host says: {outcome.stderr.strip()[:500]}", str(place), "complete")
        found = objects(self.get(f"{operation}.files", FILES, params={"session_id": place.session}))
        file = next((one for one in found if one.get("cloud_request_id") == place.request), None)
        if file is not None and file.get("error_message"):
            return None, Result("failed", f"Falcon says: {str(file['error_message'])[:500]}", str(place), "failed")
        if file is not None and file.get("complete") is True and file.get("sha256"):
            return file, Result("done")
        self.keep(place, operation)
        word = str((file or {}).get("stage") or ("sent" if not outcome.complete else "uploading"))
        return None, Result("accepted", FETCHES, str(place), word)

    def content(self, place: Place, sha256: str, operation: str) -> bytes:
        """The archive of a fetched file, at most 60 MB; kept nowhere. Raises ConnectorError."""
        params = {"session_id": place.session, "sha256": sha256, "filename": program_of(place.rest)}
        self.large = True
        try:
            answer = self.call(f"{operation}.content", "GET", CONTENT, params=params, kept=False)
        finally:
            self.large = False
        if not answer.ok or answer.media_type in {"application/json", "text/html"}:
            text = f"Falcon does not hand over the file (it answered {answer.status})."
            raise FalconError(text, permanent=answer.status in {404, 403}, status=answer.status)
        return answer.body

    def collected(self, reference: str, data: Mapping[str, Any], secret: Mapping[str, str]) -> Collected:
        """See Responder. The archive, which opens with the password."""
        place, file = Place.of(reference), data.get("file")
        sha256 = str(file.get("sha256") or "") if isinstance(file, dict) else ""
        return Collected(f"{program_of(place.rest)}.7z", self.content(place, sha256, "collect_file"))

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder."""
        if capability != "collect_file":
            return super().recall(capability, target, key=key)
        return self.fetching_again(capability, target, Place(GET, "", "", ""), key)

    def fetching_again(self, capability: str, target: Target, begin: Place, key: str) -> Result | None:
        """The fetching with this key whose answer was lost; None if nothing was sent, or nothing came of it. The same
        file may have been fetched for another task before."""
        line, sent_at = self._sent(capability, key)
        if sent_at is None:
            return None
        host = self.host_of(target, f"{capability}.recall")
        device = str(host["device_id"])
        found = self.found_again(device, line, f"{capability}.recall", sent_at)
        if found is None:
            return None
        path = line.removeprefix('get "').removesuffix('"')
        return Result("accepted", FETCHES, str(Place(begin.step, device, *found, path, begin.tag)), "sent")

    def _sent(self, capability: str, key: str) -> tuple[str, datetime | None]:
        """The command that was sent with this key, and when first; "" and None if none was. The author may have given
        a path that the target does not tell."""
        for row in self.account.attempts.filter(operation=capability, idempotency_key=key[:200]).order_by("started_at"):
            body = row.request.get("body")
            line = str(body.get("command_string") or "") if isinstance(body, dict) else ""
            if line.startswith("get "):
                return line, row.started_at
        return "", None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability != "collect_file":
            return super().requests(capability, target, params)
        line = f"get {quoted_path(full_path(target, params, 'Falcon'))}"
        return [*self.opening(target), self.handing_over(ACT, line)]

    def opening(self, target: Target) -> list[dict[str, Any]]:
        """What a rehearsal shows of the way to a session."""
        body = {"device_id": "(id of the host)", "origin": "Soar", "queue_offline": False}
        return [*self.searching(target), self.preview("POST", SESSIONS, json=body)["request"]]

    def handing_over(self, level: str, line: str) -> dict[str, Any]:
        """What a rehearsal shows of a command."""
        body = command_of("(id of the session)", line)
        return dict(self.preview("POST", f"{BASE}/entities/{level}/v1", json=body)["request"])
