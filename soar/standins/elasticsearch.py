"""A stand-in for Elasticsearch: points in time, searches by time in a stable order, and answers that are not whole."""

from __future__ import annotations

import copy
import fnmatch
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response

CLAUSE = re.compile(r"(NOT )?([\w.@]+):(\S+)")
Hit = dict[str, Any]


class Elasticsearch(Standin):
    """``indices``: documents by index and id (see ``put``). ``closed``, ``blocked``: such indices. ``failing``,
    ``late``: so many searches more miss a shard or run out of time, with a 200. ``ahead``: seconds
    that its clock is ahead. ``most``: hits of an answer at most. ``secret``: the only credentials it takes."""

    kind = "elasticsearch"
    secrets: ClassVar[dict[str, str]] = {"token": "practice"}

    def fresh(self) -> dict[str, Any]:
        return {
            "indices": {}, "closed": [], "blocked": [], "failing": 0, "late": 0, "ahead": 0, "most": 10_000,
            "secret": "", "pits": {}, "opened": 0, "sequence": 0, "asked": [],
        }  # fmt: skip

    def put(self, index: str, identity: str, source: dict[str, Any]) -> None:
        """Index a document, or change it."""
        self.state["sequence"] += 1
        self.state["indices"].setdefault(index, {})[identity] = {"seq": self.state["sequence"], "source": source}

    def answer(self, request: Request) -> Response:
        found = self._answer(request)
        found.headers["Date"] = format_datetime(self._now(), usegmt=True)
        return found

    def refused(self, status: int) -> Response:
        if status == 401:
            return _failure(401, "security_exception", "unable to authenticate with provided credentials")
        return _failure(403, "security_exception", "action [indices:data/read/search] is unauthorized for API key")

    def hurried(self) -> Response:
        return _failure(429, "es_rejected_execution_exception", "rejected execution of coordinating operation")

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.state["ahead"])

    def _answer(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not given.startswith(("ApiKey ", "Basic ")) or self.state["secret"] not in ("", given.partition(" ")[2]):
            return self.refused(401)
        *names, verb = request.path.strip("/").split("/")
        if verb == "_pit":
            return self._open(names[0]) if names else self._close(request)
        if verb != "_search":
            return _failure(400, "illegal_argument_exception", f"no handler found for uri [{request.path}]")
        return self._search_index(names[0], request) if names else self._search_pit(request)

    def _open(self, pattern: str) -> Response:
        hits, shards, refusal = self._hits(pattern)
        if refusal:
            return refusal
        self.state["opened"] += 1
        name = f"pit-{self.state['opened']}"
        self.state["pits"][name] = {"hits": copy.deepcopy(hits), "shards": shards}
        return json_response({"id": name})

    def _close(self, request: Request) -> Response:
        gone = self.state["pits"].pop(str((request.json() or {}).get("id")), None)
        return json_response({"succeeded": True, "num_freed": int(bool(gone))})

    def _hits(self, pattern: str) -> tuple[list[Hit], int, Response | None]:
        """What stands in the indices of a pattern, and of how many shards; or why it cannot be read."""
        named: list[str] = []
        for part in pattern.split(","):
            fitting = fnmatch.filter(self.state["indices"], part)
            if "*" not in part:
                if not fitting:
                    return [], 0, _failure(404, "index_not_found_exception", f"no such index [{part}]")
                if part in self.state["closed"]:
                    return [], 0, _failure(400, "index_closed_exception", f"closed [{part}]")
            named += [one for one in fitting if one not in self.state["closed"]]
        if blocked := [one for one in named if one in self.state["blocked"]]:
            told = f"index [{blocked[0]}] blocked by: [FORBIDDEN/4/index preparing to close]"
            return [], 0, _failure(403, "cluster_block_exception", told)
        hits = [
            {"_index": index, "_id": identity, "_seq_no": one["seq"], "_primary_term": 1, "_source": one["source"]}
            for index in named
            for identity, one in self.state["indices"][index].items()
        ]
        return hits, len(named), None

    def _search_index(self, pattern: str, request: Request) -> Response:
        hits, shards, refusal = self._hits(pattern)
        if refusal:
            return refusal
        body = request.json()
        found = [one for one in hits if _fits(one, body["query"])]
        total = {"value": len(found), "relation": "eq"}
        return self._shown([], shards, {"total": total})

    def _search_pit(self, request: Request) -> Response:
        body = request.json()
        pit = self.state["pits"].get(body["pit"]["id"])
        if pit is None:
            return _failure(404, "search_context_missing_exception", "No search context found for id [7]")
        self.state["asked"].append(body)
        found = [{**one, "sort": [_milliseconds(one), place]} for place, one in enumerate(pit["hits"])]
        found = sorted((one for one in found if _fits(one, body["query"])), key=lambda one: one["sort"])
        after = body.get("search_after")
        left = [one for one in found if not after or one["sort"] > after]
        shown = left[: min(body["size"], self.state["most"])]
        more: dict[str, Any] = {"pit_id": body["pit"]["id"]}
        if "aggs" in body:
            now = self._now().timestamp() * 1000
            more["aggregations"] = {name: {"buckets": [{"from": now, "doc_count": 0}]} for name in body["aggs"]}
        return self._shown(shown, pit["shards"], {}, more)

    def _shown(self, hits: list[Hit], shards: int, about: Hit, more: Hit | None = None) -> Response:
        told: dict[str, Any] = {"total": shards, "successful": shards, "skipped": 0, "failed": 0}
        late = self.state["late"] > 0
        self.state["late"] -= int(late)
        if self.state["failing"] > 0:
            self.state["failing"] -= 1
            failure = {"shard": 0, "index": "any", "reason": {"type": "no_shard_available_action_exception"}}
            told |= {"successful": shards - 1, "failed": 1, "failures": [failure]}
            hits = hits[::2]
        document = {"took": 3, "timed_out": late, "_shards": told, "hits": {**about, "max_score": None, "hits": hits}}
        return json_response({**document, **(more or {})})


def _fits(hit: Hit, query: Any) -> bool:
    """The part of the query language that is asked with."""
    ((verb, how),) = query.items()
    if verb == "match_all":
        return True
    if verb == "bool":
        some = [_fits(hit, one) for one in how.get("should", [])]
        return all(_fits(hit, one) for one in how.get("filter", [])) and (any(some) or not some)
    if verb == "query_string":
        return all(_has(hit, name, value) != bool(no) for no, name, value in CLAUSE.findall(how["query"]))
    ((name, span),) = how.items()
    told = hit["_source"].get(name)
    return bool(told) and _moment(span["gte"]) <= _moment(told) <= _moment(span["lte"])


def _has(hit: Hit, name: str, value: str) -> bool:
    told = hit["_source"].get(name)
    return told is not None and fnmatch.fnmatch(str(told), value)


def _milliseconds(hit: Hit) -> int:
    return int(_moment(hit["_source"]["@timestamp"]).timestamp() * 1000)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _failure(status: int, kind: str, reason: str) -> Response:
    error = {"root_cause": [{"type": kind, "reason": reason}], "type": kind, "reason": reason}
    return json_response({"error": error, "status": status}, status)
