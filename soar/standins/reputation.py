"""What the stand-ins of reputation services share: a key in a header, what they know, who asked for what."""

from __future__ import annotations

from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response

# Names that attackers use in the demo data. Addresses of the demo are of networks for documentation, which never leave.
BAD_NAMES = (
    "cdn-telemetry.example.org", "login-portal.example.org", "pool-relay.example.net", "cdn-sync.example.net",
    "invoice-center.example.org", "billing-nordhavn.example.net", "post-box.example.org",
)  # fmt: skip
EICAR = ("44d88612fea8a8f36de82e1278abb02f", "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f")


class Reputation(Standin):
    """``known``: what is answered, by value; ``asked``: the values asked for; ``left``: calls until 429, None no end.

    Any key but "expired" and "" is taken. ``POST _control/arrange {"known": {...}, "left": 3}`` changes the state."""

    key_header: ClassVar[str]
    # The range has no quota to spare, and a demo rates many values at once.
    settings: ClassVar[dict[str, str]] = {"rate_per_minute": "0", "rate_per_day": "0"}

    def known(self) -> dict[str, Any]:
        """What a fresh one knows."""
        return {}

    def fresh(self) -> dict[str, Any]:
        """See Standin."""
        return {"known": self.known(), "asked": [], "left": None}

    def control(self, request: Request) -> Response:
        """See Standin, and ``arrange``."""
        if not (request.path.endswith("/arrange") and request.method == "POST"):
            return super().control(request)
        wish = request.json()
        if not isinstance(wish, dict) or not wish.keys() <= self.state.keys():
            return json_response({"error": f"names of: {', '.join(self.state)}"}, 400)
        with self.lock:
            self.state["known"].update(wish.pop("known", {}))
            self.state.update(wish)
        return json_response({"arranged": True})

    def answer(self, request: Request) -> Response:
        """401 without a key, 429 when the calls are spent, else the product's own answer."""
        key = request.headers.get(self.key_header, "")
        if not key or key.startswith("expired"):
            return self.refused(401)
        if self.state["left"] is not None:
            if self.state["left"] <= 0:
                return self.hurried()
            self.state["left"] -= 1
        return self.look_up(request)

    def look_up(self, request: Request) -> Response:
        """The product's own answer to somebody with a key."""
        return json_response({}, 404)

    def find(self, value: str) -> Any:
        """What is known of a value; that it was asked for is noted."""
        self.state["asked"].append(value)
        del self.state["asked"][:-500]
        return self.state["known"].get(value.lower())
