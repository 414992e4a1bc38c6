"""What the Vision One stand-in keeps: block list and exceptions, scripts, messages to search in, sandbox analyses."""

from __future__ import annotations

import re
from email import message_from_bytes
from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.visionone_tasks import drawn, failure, moment, page

FIELDS = ("ip", "url", "domain", "fileSha1", "fileSha256", "senderMailAddress")
QUOTED = re.compile(r'(\w+):"((?:[^"\\]|\\.)*)"')
RISKS = {"bad": "high", "odd": "medium"}  # by a word in the address


def fresh_objects() -> dict[str, Any]:
    """Their state after a reset. ``mailboxes``: where a message is found, whatever is looked for, while ``mail`` is
    empty."""
    return {"mailboxes": [], "blocked": {}, "exceptions": [], "scripts": {}, "mail": [], "analyses": {}, "quota": 50}


class Objects:
    """The answers of these parts; None for what is not of them."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def answer(self, request: Request, path: str) -> Response | None:
        """See Tasks."""
        first = path.partition("/")[0]
        if first == "threatintel":
            return self._threatintel(request, path)
        if path.startswith("response/customScripts"):
            return self._scripts(request, path.removeprefix("response/customScripts").strip("/"))
        if path == "search/emailActivities":
            return self._mail(request)
        if first == "sandbox":
            return self._sandbox(request, path.removeprefix("sandbox/"))
        return None

    def _threatintel(self, request: Request, path: str) -> Response | None:
        if path == "threatintel/suspiciousObjectExceptions" and request.method == "GET":
            return page(request, self.state["exceptions"], 100)
        if path == "threatintel/suspiciousObjects" and request.method == "GET":
            return page(request, list(self.state["blocked"].values()), 100)
        if path == "threatintel/suspiciousObjects":
            return json_response([self._block(item) for item in request.json()], 207)
        if path == "threatintel/suspiciousObjects/delete":
            return json_response([self._unblock(item) for item in request.json()], 207)
        return None

    def _block(self, item: dict[str, Any]) -> dict[str, Any]:
        field = next((name for name in FIELDS if name in item), "")
        if not field or not isinstance(item.get("daysToExpiration"), int):
            return {"status": 400, "body": {"error": {"code": "BadRequest", "message": "A field is missing"}}}
        self.state["blocked"][item[field]] = {**item, "type": field}
        return {"status": 201}

    def _unblock(self, item: dict[str, Any]) -> dict[str, Any]:
        value = next((item[name] for name in FIELDS if name in item), "")
        if self.state["blocked"].pop(value, None) is None:
            return {"status": 404, "body": {"error": {"code": "NotFound", "message": "Not on the list"}}}
        return {"status": 204}

    def _scripts(self, request: Request, identity: str) -> Response | None:
        scripts = self.state["scripts"]
        if request.method == "GET" and identity:
            known = scripts.get(identity)
            return Response(200, known["text"].encode()) if known else failure(404, "NotFound", "No such script")
        if request.method == "GET":
            wanted = re.search(r"fileName eq '(.*)'", request.headers.get("tmv1-filter", ""))
            found = [one for one in scripts.values() if wanted is None or one["fileName"] == wanted[1]]
            return page(request, [{k: v for k, v in one.items() if k != "text"} for one in found], 50)
        return self._upload(request)

    def _upload(self, request: Request) -> Response:
        fields = _multipart(request)
        name, content = fields.get("file", ("", b""))
        if any(one["fileName"] == name for one in self.state["scripts"].values()) or not name:
            return failure(400, "BadRequest", "The file name is taken or missing")
        number = f"script-{drawn(self.state)}"
        kind = fields.get("fileType", ("", b""))[1].decode()
        self.state["scripts"][number] = {"id": number, "fileName": name, "fileType": kind, "text": content.decode()}
        location = f"{request.base}/v3.0/response/customScripts/{number}"
        return Response(201, b"", {"Location": location})

    def _mail(self, request: Request) -> Response:
        """Any field that the query names with a value counts; the first page is empty, as it is while it searches."""
        if "skip" not in request.query:
            link = f"{request.base}{request.path}?skip=0"
            return json_response({"items": [], "progressRate": 10, "nextLink": link})
        terms = QUOTED.findall(request.headers.get("tmv1-query", ""))
        kept = self.state["mail"] or [_mail(box, terms) for box in self.state["mailboxes"]]
        found = [mail for mail in kept if any(value in str(mail.get(name)) for name, value in terms)]
        return page(request, found, 100)

    def _sandbox(self, request: Request, path: str) -> Response | None:
        if path == "urls/analyze":
            return self._urls(request)
        if path == "submissionUsage":
            spent = len(self.state["analyses"])
            left = self.state["quota"]
            usage = {"submissionReserveCount": left + spent, "submissionRemainingCount": left, "submissionCount": spent}
            return json_response(usage)
        if path == "files/analyze":
            return self._file(request)
        if path.startswith("tasks/"):
            return self._analysis_task(request, path.removeprefix("tasks/"))
        if path.startswith("analysisResults/"):
            return self._result(path.removeprefix("analysisResults/"))
        return None

    def _urls(self, request: Request) -> Response:
        if self.state["quota"] <= 0:
            return failure(400, "InsufficientQuota", "The daily quota is used up")
        number = self._analysis(request.json()[0]["url"])
        location = f"{request.base}/v3.0/sandbox/tasks/{number}"
        item = {"status": 202, "headers": [{"name": "Operation-Location", "value": location}], "body": {"id": number}}
        return json_response([item], 207, **self._left())

    def _file(self, request: Request) -> Response:
        if not _multipart(request).get("file", ("", b""))[1]:
            return failure(400, "BadRequest", "There is no file")
        if self.state["quota"] <= 0:
            return failure(400, "InsufficientQuota", "The daily quota is used up")
        return self._taken(request, self._analysis("bad"), 202)

    def _taken(self, request: Request, number: str, status: int) -> Response:
        location = f"{request.base}/v3.0/sandbox/tasks/{number}"
        return json_response({"id": number}, status, Operation_Location=location, **self._left())

    def _left(self) -> dict[str, str]:
        return {"TMV1_Submission_Remaining_Count": str(self.state["quota"])}

    def _analysis(self, what: str) -> str:
        self.state["quota"] -= 1
        number = f"analysis-{drawn(self.state)}"
        self.state["analyses"][number] = {"id": number, "what": what, "asked": 0}
        return number

    def _analysis_task(self, request: Request, number: str) -> Response:
        known = self.state["analyses"].get(number)
        if known is None:
            return failure(404, "NotFound", "No such submission")
        known["asked"] += 1
        done = known["asked"] > self.state["polls"]
        task = {"id": number, "status": "succeeded" if done else "running", "createdDateTime": moment()}
        if done:
            task["resourceLocation"] = f"{request.base}/v3.0/sandbox/analysisResults/{number}"
        return json_response(task)

    def _result(self, number: str) -> Response:
        known = self.state["analyses"].get(number)
        if known is None:
            return failure(404, "NotFound", "No such result")
        risk = next((risk for word, risk in RISKS.items() if word in known["what"]), "noRisk")
        names = ["VAN_MALWARE.UMXX"] if risk == "high" else []
        result = {"id": number, "type": "url", "riskLevel": risk, "detectionNames": names, "threatTypes": []}
        return json_response({**result, "analysisCompletionDateTime": moment()})


def _mail(box: str, terms: list[tuple[str, str]]) -> dict[str, Any]:
    """A message that is as it was looked for."""
    found: dict[str, Any] = {"mailMsgId": f"<{box.partition('@')[0]}.0412@mail.example.com>", "eventTimeDT": moment()}
    return {**found, **dict(terms), "mailbox": box}


def _multipart(request: Request) -> dict[str, tuple[str, bytes]]:
    """Field -> (file name, content)."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    fields = {}
    for part in message_from_bytes(head + request.body).walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            fields[name] = (part.get_filename() or "", content if isinstance(content, bytes) else b"")
    return fields
