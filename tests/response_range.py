"""The practice product of the tests of response playbooks: ``python -m tests.response_range`` serves it by itself."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

from soar.standins.base import Request, Response, Standin, json_response
from soar.standins.server import Server
from soar.standins.slack import Slack


class Shop(Standin):
    """``POST /do/<capability>``: done at once; taken if ``slowly`` is set, then each ``GET /task/<key>`` counts down.

    ``GET /recall/<key>``: what became of it, 404 if nothing did."""

    kind = "tiny"

    def fresh(self) -> dict[str, Any]:
        return {
            "done": [],
            "tasks": {},
            "slowly": {},
            "answer": None,
            "polls": 0,
            "recalls": 0,
            "forgetful": False,
            "finds": {},
        }

    def control(self, request: Request) -> Response:
        """See Standin; ``POST arrange`` changes the state."""
        if request.path.endswith("/arrange"):
            with self.lock:
                self.state.update(request.json())
            return json_response(self.state)
        return super().control(request)

    def answer(self, request: Request) -> Response:
        _, verb, name = request.path.split("/", 2)
        if verb == "do":
            return self._do(name, request)
        if verb == "task":
            return self._task(name)
        self.state["recalls"] += 1
        known = None if self.state["forgetful"] else self.state["tasks"].get(name)
        return json_response(known) if known else json_response({"message": "unknown"}, 404)

    def _do(self, name: str, request: Request) -> Response:
        if self.state["answer"]:
            status, body = self.state["answer"]
            return json_response(body, status)
        key, given = request.headers["idempotency-key"], request.json()
        left = self.state["slowly"].get(name, 0)
        task = {"state": "accepted" if left else "done", "left": left, "reference": key}
        task["data"] = self.state["finds"].get(name, {})
        self.state["tasks"][key] = task
        self.state["done"].append({"capability": name, "key": key, **given})
        return json_response(task)

    def _task(self, key: str) -> Response:
        self.state["polls"] += 1
        task = self.state["tasks"][key]
        task["left"] -= 1
        if task["left"] <= 0:
            task["state"] = task.get("ends", "done")
        return json_response(task)


def serve() -> None:
    """Print where everything is, and serve until whoever started it is gone."""
    with Server([Shop(), Slack()]) as server:
        print(json.dumps(server.urls), flush=True)
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(0.2)


if __name__ == "__main__":
    threading.current_thread().name = "range"
    serve()
