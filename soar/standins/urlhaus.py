"""URLhaus: forms in, 200 with ``query_status`` out, even for what it does not know."""

from __future__ import annotations

from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import BAD_NAMES, EICAR, Reputation

FIELDS = {"/v1/url/": ("url",), "/v1/host/": ("host",), "/v1/payload/": ("md5_hash", "sha256_hash")}


class UrlHaus(Reputation):
    """``known``: for a URL its state, for a host the number of its addresses that are online, for a file its name."""

    kind = "urlhaus"
    key_header = "auth-key"

    def known(self) -> dict[str, Any]:
        """The test file and names of the demo."""
        return {**dict.fromkeys(EICAR, "EICAR"), BAD_NAMES[0]: 4, BAD_NAMES[3]: 1}

    def refused(self, status: int) -> Response:
        """A wrong key."""
        return json_response({"error": "unknown_auth_key"}, status)

    def look_up(self, request: Request) -> Response:
        """One URL, host or file."""
        form = request.form()
        value = next((form[name] for name in FIELDS.get(request.path, ()) if name in form), "")
        if request.method != "POST" or not value:
            return json_response({"query_status": "http_post_expected"})
        found = self.find(value)
        if found is None:
            return json_response({"query_status": "no_results"})
        if request.path == "/v1/url/":
            return json_response({"query_status": "ok", "url_status": found, "threat": "malware_download"})
        if request.path == "/v1/payload/":
            return json_response({"query_status": "ok", "signature": found, "url_count": "3", "urls": []})
        urls = [{"url": f"http://{value}/{number}.exe", "url_status": "online"} for number in range(found)]
        return json_response({"query_status": "ok", "url_count": str(len(urls)), "urls": urls})
