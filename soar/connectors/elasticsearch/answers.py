"""What Elasticsearch says. An answer of 200 may be less than was asked for; such a one is an error here."""

from __future__ import annotations

import json
from typing import Any

from soar.connectors.errors import ConnectorError
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer

WORDS = {
    401: "Elasticsearch does not take the credentials",
    403: "Elasticsearch refuses this; the credentials need the privilege read on the index, and nothing may block it",
    404: "Elasticsearch has no such index, or what was being read has ended there",
    429: "Elasticsearch is overloaded; it is asked again later",
    503: "Elasticsearch cannot answer for all of it now",
}
# Another 4xx than these would be the same next time; these end when somebody opens the index, or by themselves.
PASSING = {
    "search_phase_execution_exception", "index_closed_exception", "cluster_block_exception",
    "no_shard_available_action_exception", "search_context_missing_exception", "circuit_breaking_exception",
}  # fmt: skip


def understood(answer: Answer) -> dict[str, Any]:
    """The JSON object of a good answer. Raises ConnectorError."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if answer.ok and isinstance(document, dict) and "error" not in document:
        return document
    if answer.ok:
        raise ConnectorError("Elasticsearch answered with something that is no data.", permanent=False)
    kind, reason = said(document)
    known = WORDS.get(answer.status, f"Elasticsearch answered {answer.status}")
    detail = answer.redactor.text(": ".join(filter(None, (kind, reason))) or _rest(answer), at_most=400)
    raise ConnectorError(
        f"{known} ({detail}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY and kind not in PASSING,
        status=answer.status,
        retry_after=seconds_until(answer.headers.get("retry-after", "")),
    )


def said(document: Any) -> tuple[str, str]:
    """Type and reason of an error, of its root cause where that tells more; ("", "") when it has none."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", str(error)[:300] if isinstance(error, str) else ""
    roots = error.get("root_cause")
    root = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], dict) else error
    return str(root.get("type") or error.get("type") or ""), str(root.get("reason") or error.get("reason") or "")


def whole(document: dict[str, Any], index: str) -> None:
    """Raises ConnectorError unless the search looked at all that there is: what a failed shard holds would be left out
    for good if the reading went on."""
    shards = document.get("_shards")
    if not isinstance(shards, dict) or not isinstance(document.get("hits"), dict):
        raise ConnectorError("Elasticsearch answered a search with something else.", permanent=False)
    if document.get("timed_out") or document.get("terminated_early"):
        raise _partial("it ran out of time")
    if _number(shards.get("failed")):
        raise _partial(f"{shards['failed']} of {shards.get('total')} shards failed{_why(shards)}")
    clusters = document.get("_clusters")
    missing = _number(clusters.get("skipped")) + _number(clusters.get("failed")) if isinstance(clusters, dict) else 0
    if missing:
        raise _partial(f"{missing} remote clusters did not answer")
    if not _number(shards.get("total")):
        text = f"No index is called {index}, or the credentials may not see it. It is tried again."
        raise ConnectorError(text, permanent=False)


def _partial(why: str) -> ConnectorError:
    return ConnectorError(f"Elasticsearch answered only for a part: {why}. It is read again.", permanent=False)


def _why(shards: dict[str, Any]) -> str:
    failures = shards.get("failures")
    first = failures[0] if isinstance(failures, list) and failures and isinstance(failures[0], dict) else {}
    reason = first.get("reason")
    return f" ({str(reason.get('type') or reason.get('reason'))[:200]})" if isinstance(reason, dict) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
