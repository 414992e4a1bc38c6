"""Stand-ins whose next outcomes and whole state one can arrange: ``POST _control/arrange``."""

from __future__ import annotations

from datetime import UTC, datetime

from soar.standins.base import Request, Response, Standin, json_response, text_response


class Arranged(Standin):
    """``{"next": "Failed"}`` or a list of such words is put behind ``next``; any other name of the state is set."""

    def control(self, request: Request) -> Response:
        """See Standin, and ``arrange``."""
        if not (request.path.endswith("/arrange") and request.method == "POST"):
            return super().control(request)
        wish = request.json()
        if not isinstance(wish, dict):
            return text_response("an object", 400)
        with self.lock:
            for name, value in wish.items():
                if name == "next":
                    self.state["next"] += value if isinstance(value, list) else [value]
                else:
                    self.state[name] = value
        return json_response({"arranged": sorted(wish)})

    def ending(self, usual: str) -> str:
        """How the next thing ends."""
        return str(self.state["next"].pop(0)) if self.state["next"] else usual


def moment() -> str:
    """Now, as these products write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def counted(table: dict[str, int], key: str) -> None:
    """One more of ``key``."""
    table[key] = table.get(key, 0) + 1
