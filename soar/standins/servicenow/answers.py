"""How ServiceNow words its answers: results, failures, and the page of an instance that sleeps."""

from __future__ import annotations

from typing import Any

from soar.standins.base import Response, json_response, text_response

NO_RECORD = ("No Record found", "Record doesn't exist or ACL restricts the record retrieval")
HIBERNATING = (
    "<!DOCTYPE html><html><head><title>Instance Hibernating page</title></head><body><h1>Instance Hibernating page</h1>"
    "<p>Your instance is hibernating. Sign in to the developer site to wake it up.</p></body></html>"
)
DOWN = "<html><head><title>503 Service Unavailable</title></head><body>The instance is being upgraded.</body></html>"


class Refusal(Exception):
    """What is answered instead of a result: ``status``, and the two sentences of ServiceNow's error."""

    def __init__(self, status: int, message: str, detail: str | None = None, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.detail, self.headers = status, message, detail, headers or {}

    def response(self) -> Response:
        """As it is sent."""
        answer = failure(self.status, self.message, self.detail)
        answer.headers |= self.headers
        return answer


class OAuthRefusal(Refusal):
    """The OAuth endpoint words its errors in another shape: ``error`` is a string."""

    def response(self) -> Response:
        """See Refusal."""
        return json_response({"error_description": self.detail, "error": self.message}, self.status)


def failure(status: int, message: str, detail: str | None = None) -> Response:
    """An error in the shape of the REST API; ``detail`` may be null."""
    return json_response({"error": {"message": message, "detail": detail}, "status": "failure"}, status)


def result(value: Any, status: int = 200, **headers: str) -> Response:
    """A good answer."""
    return json_response({"result": value}, status, **headers)


def no_record() -> Refusal:
    """Missing or hidden: nobody can tell which."""
    return Refusal(404, *NO_RECORD)


def not_signed_in() -> Refusal:
    """No or wrong credentials."""
    headers = {"WWW-Authenticate": 'BASIC realm="Service-now"'}
    return Refusal(401, "User Not Authenticated", "Required to provide Auth information", headers)


def policy(labels: list[str]) -> Refusal:
    """A data policy refuses: these fields are empty, or hold a value that is no choice."""
    text = f"Data Policy Exception: The following fields are mandatory: {', '.join(labels)}"
    return Refusal(403, "Operation Failed", text)


def security(verb: str) -> Refusal:
    """An access rule refuses to insert, update or delete."""
    return Refusal(403, "Operation Failed", f"ACL Exception {verb} Failed due to security constraints")


def aborted(table: str, rule: str) -> Refusal:
    """A business rule refuses."""
    text = f"Operation against file '{table}' was aborted by Business Rule '{rule}'. Business Rule Stack: {rule}"
    return Refusal(403, "Operation Failed", text)


def hibernating() -> Response:
    """The page of a developer instance that sleeps: HTML with status 200."""
    return text_response(HIBERNATING, 200, "text/html; charset=UTF-8")


def down() -> Response:
    """What stands before an instance that is being upgraded."""
    return text_response(DOWN, 503, "text/html; charset=UTF-8")
