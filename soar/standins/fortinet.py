"""A FortiGate by its REST API: what is there already is a 500 with a number, and no group may be empty.

State: ``objects`` (kind -> name -> object), ``groups`` (kind -> name -> members), ``used``: those a policy names."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import unquote

from soar.standins.base import Request, Response, Standin, json_response

KINDS = {"address": "addrgrp", "address6": "addrgrp6"}
VERSION = "v7.4.4"


class FortiGate(Standin):
    """Any bearer token but "expired" is taken."""

    kind: ClassVar[str] = "fortinet"
    settings: ClassVar[dict[str, str]] = {"group6": "soar-blocked6"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        groups = {"addrgrp": {"soar-blocked": ["none"]}, "addrgrp6": {"soar-blocked6": ["none"]}}
        return {"objects": {"address": {}, "address6": {}}, "groups": groups, "used": []}

    def refused(self, status: int) -> Response:
        """401 is a page of its web server."""
        if status == 401:
            return Response(401, b"<!DOCTYPE html><h1>401 Unauthorized</h1>", {"Content-Type": "text/html"})
        return _told(403, error=0)

    def answer(self, request: Request) -> Response:
        """See Standin."""
        sign = request.headers.get("authorization", "")
        if not sign.startswith("Bearer ") or sign == "Bearer expired":
            return self.refused(401)
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        if parts[:4] != ["api", "v2", "cmdb", "firewall"] or request.argument("vdom", "root") != "root":
            return _told(404)
        kind, rest = parts[4], parts[5:]
        if kind in KINDS and not rest and request.method == "GET":
            return self._objects(request, kind)
        if kind in KINDS:
            return self._object(request, kind, rest)
        return self._group(request, kind, rest) if kind in self.state["groups"] else _told(404)

    def _object(self, request: Request, kind: str, rest: list[str]) -> Response:
        objects = self.state["objects"][kind]
        if request.method == "POST":
            given = request.json()
            if given["name"] in objects:
                return _told(500, error=-5, cli_error="A duplicate entry already exists.")
            objects[given["name"]] = given
            return _told(200)
        if not rest or rest[0] not in objects:
            return _told(404, error=-3)
        if request.method == "GET":
            return _told(200, results=[objects[rest[0]]])
        members = [name for group in self.state["groups"][KINDS[kind]].values() for name in group]
        if rest[0] in members or rest[0] in self.state["used"]:
            return _told(500, error=-23, cli_error="The entry is used by other 1 entries")
        del objects[rest[0]]
        return _told(200)

    def _objects(self, request: Request, kind: str) -> Response:
        part, _, value = request.argument("filter").partition("==")
        return _told(200, results=[one for one in self.state["objects"][kind].values() if value in ("", one.get(part))])

    def _group(self, request: Request, kind: str, rest: list[str]) -> Response:
        groups = self.state["groups"][kind]
        if not rest or rest[0] not in groups:
            found = [_row(name, members) for name, members in groups.items()]
            return _told(404, error=-3) if rest else _told(200, results=found)
        members = groups[rest[0]]
        if request.method == "POST":
            return self._join(kind, members, request.json()["name"])
        if request.method == "GET":
            return _told(200, results=[_row(rest[0], members)])
        if len(rest) < 3 or rest[2] not in members:
            return _told(404, error=-3)
        if len(members) == 1:
            return _told(500, error=-56, cli_error="empty values are not allowed")
        members.remove(rest[2])
        return _told(200)

    def _join(self, kind: str, members: list[str], name: str) -> Response:
        if name in members:
            return _told(500, error=-5, cli_error="A duplicate entry already exists.")
        objects = {group: one for one, group in KINDS.items()}[kind]
        if name not in self.state["objects"][objects]:
            return _told(424, error=-3, cli_error="entry not found in datasource")
        members.append(name)
        return _told(200)


def _row(name: str, members: list[str]) -> dict[str, Any]:
    return {"name": name, "member": [{"name": one} for one in members]}


def _told(status: int, **more: Any) -> Response:
    said = "success" if status == 200 else "error"
    return json_response({"http_status": status, "status": said, "vdom": "root", "version": VERSION, **more}, status)
