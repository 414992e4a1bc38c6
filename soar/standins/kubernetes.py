"""The API server of a Kubernetes cluster, as far as pods and NetworkPolicies go.

State: ``pods`` and ``policies`` ("namespace/name" -> the object), ``gone``: names of deleted pods, ``going``: how often
a pod that is deleted is still there when asked for; ``denied``: rights that the token lacks ("patch pods"); ``page``:
objects a page of a list; ``expired``: how many further pages are forgotten; ``busy``: how many patches find the pod
changed by somebody else; ``calls``: how often each thing was done."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from soar.standins.arranged import Arranged, counted, moment
from soar.standins.base import Request, Response, json_response

POD = re.compile(r"/api/v1/namespaces/([a-z0-9-]+)/pods/([a-z0-9.-]+)")
POLICIES = re.compile(r"/apis/networking\.k8s\.io/v1/namespaces/([a-z0-9-]+)/networkpolicies(?:/([a-z0-9.-]+))?")
NUMBERED = re.compile(r"(.+)-\d+")
REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired",
    415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests", 500: "InternalError",
    503: "ServiceUnavailable",
}  # fmt: skip
Object = dict[str, Any]


class Refusal(Exception):
    """A ``Status`` of failure."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Kubernetes(Arranged):
    """Any token but "expired" is taken; every pod is known unless its name begins with "unknown" or it was deleted. One
    whose name ends with a number is of a StatefulSet, which gives the name to another one."""

    kind: ClassVar[str] = "kubernetes"
    settings: ClassVar[dict[str, str]] = {"cluster": "practice"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {
            "pods": {}, "policies": {}, "gone": [], "going": 1, "denied": [], "page": 2, "expired": 0, "busy": 0,
            "calls": {}, "version": 0, "next": [],
        }  # fmt: skip

    def hurried(self) -> Response:
        answer = failure(429, "too many requests, please try again later")
        answer.headers["Retry-After"] = "40"
        return answer

    def refused(self, status: int) -> Response:
        if status == 401:
            return failure(401, "Unauthorized")
        return failure(403, 'pods is forbidden: User "system:serviceaccount:soar:soar" cannot patch resource "pods"')

    def gone(self, status: int) -> Response:
        return Response(status, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if request.headers.get("authorization", "Bearer expired") in ("Bearer expired", "Bearer "):
            return self.refused(401)
        try:
            return self._routed(request)
        except Refusal as refusal:
            return failure(refusal.status, refusal.message)

    def _routed(self, request: Request) -> Response:
        if request.path == "/version":
            return json_response({"major": "1", "minor": "33", "gitVersion": "v1.33.1"})
        if request.path.endswith("/selfsubjectaccessreviews") and request.method == "POST":
            asked = request.json()["spec"]["resourceAttributes"]
            allowed = f"{asked['verb']} {asked['resource']}" not in self.state["denied"]
            return json_response({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}, 201)
        if match := POD.fullmatch(request.path):
            return self._pod(request, match[1], match[2])
        if match := POLICIES.fullmatch(request.path):
            return self._policy(request, match[1], match[2] or "")
        return self.gone(404)

    def _pod(self, request: Request, namespace: str, name: str) -> Response:
        self._allow(request, "pods")
        pod = self._known(namespace, name)
        acts: dict[str, Callable[[Request, Object], Object]] = {"PATCH": self._patch, "DELETE": self._delete}
        if request.method in acts:
            pod = acts[request.method](request, pod)
        elif "deletionTimestamp" in pod["metadata"]:
            self._goes(pod)
        return json_response(pod)

    def _known(self, namespace: str, name: str) -> Object:
        where = f"{namespace}/{name}"
        if where not in self.state["pods"] and (name.startswith("unknown") or where in self.state["gone"]):
            raise Refusal(404, f'pods "{name}" not found')
        pod: Object = self.state["pods"].setdefault(where, self._made(namespace, name))
        return pod

    def _made(self, namespace: str, name: str) -> Object:
        numbered = NUMBERED.fullmatch(name)
        owner = ("StatefulSet", numbered[1]) if numbered else ("ReplicaSet", name.rpartition("-")[0] or name)
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "resourceVersion": self._version(),
                "labels": {"app": owner[1]}, "annotations": {},
                "ownerReferences": [{"kind": owner[0], "name": owner[1], "controller": True}],
            },
            "spec": {"hostNetwork": False, "nodeName": "node-3"},
            "status": {"phase": "Running", "podIP": "10.244.1.17", "hostIP": "10.20.0.13"},
        }  # fmt: skip

    def _patch(self, request: Request, pod: Object) -> Object:
        if request.headers.get("content-type") != "application/merge-patch+json":
            raise Refusal(415, "the body of the request was in an unknown format")
        if self.state["busy"] > 0:
            self.state["busy"] -= 1
            pod["metadata"]["resourceVersion"] = self._version()
            raise Refusal(409, "Operation cannot be fulfilled on pods: the object has been modified")
        given = request.json()["metadata"]
        if given.get("uid", pod["metadata"]["uid"]) != pod["metadata"]["uid"]:
            raise Refusal(422, f'Pod "{pod["metadata"]["name"]}" is invalid: metadata.uid: field is immutable')
        if given.get("resourceVersion", pod["metadata"]["resourceVersion"]) != pod["metadata"]["resourceVersion"]:
            raise Refusal(409, "Operation cannot be fulfilled on pods: the object has been modified")
        for part in ("labels", "annotations"):
            merged = {**pod["metadata"][part], **given.get(part, {})}
            pod["metadata"][part] = {key: value for key, value in merged.items() if value is not None}
        pod["metadata"]["resourceVersion"] = self._version()
        counted(self.state["calls"], "patch pods")
        return pod

    def _delete(self, request: Request, pod: Object) -> Object:
        options = request.json() or {}
        wanted = (options.get("preconditions") or {}).get("uid")
        if wanted and wanted != pod["metadata"]["uid"]:
            raise Refusal(409, f"Precondition failed: UID in precondition: {wanted}")
        if "deletionTimestamp" not in pod["metadata"]:
            pod["metadata"] |= {"deletionTimestamp": moment(), "deletionGracePeriodSeconds": 30}
            pod["left"] = self.state["going"]
            counted(self.state["calls"], "delete pods")
        return pod

    def _goes(self, pod: Object) -> None:
        """One that is deleted was asked for once more."""
        pod["left"] -= 1
        if pod["left"] >= 0 or pod["metadata"].get("finalizers"):
            return
        meta = pod["metadata"]
        where = f"{meta['namespace']}/{meta['name']}"
        del self.state["pods"][where]
        for name, policy in list(self.state["policies"].items()):  # what it owned goes with it
            if any(one["uid"] == meta["uid"] for one in policy["metadata"].get("ownerReferences", [])):
                del self.state["policies"][name]
        if NUMBERED.fullmatch(meta["name"]):
            self.state["pods"][where] = self._made(meta["namespace"], meta["name"])
            raise Refusal(404, f'pods "{meta["name"]}" not found')
        self.state["gone"].append(where)
        raise Refusal(404, f'pods "{meta["name"]}" not found')

    def _policy(self, request: Request, namespace: str, name: str) -> Response:
        self._allow(request, "networkpolicies", listing=not name)
        where = f"{namespace}/{name}"
        if request.method == "GET" and not name:
            return self._list(request, namespace)
        if request.method == "PATCH":
            return json_response(self._apply(request, namespace, name), 201)
        if where not in self.state["policies"]:
            raise Refusal(404, f'networkpolicies.networking.k8s.io "{name}" not found')
        if request.method == "DELETE":
            del self.state["policies"][where]
            counted(self.state["calls"], "delete networkpolicies")
            return json_response({"kind": "Status", "status": "Success"})
        return json_response(self.state["policies"][where])

    def _list(self, request: Request, namespace: str) -> Response:
        start = int(request.argument("continue", "0"))
        if start and self.state["expired"] > 0:
            self.state["expired"] -= 1
            raise Refusal(410, "The provided continue parameter is too old")
        mine = [one for where, one in sorted(self.state["policies"].items()) if where.startswith(f"{namespace}/")]
        end = start + min(self.state["page"], int(request.argument("limit", "500")))
        more = {"continue": str(end)} if end < len(mine) else {}
        return json_response({"kind": "NetworkPolicyList", "metadata": more, "items": mine[start:end]})

    def _apply(self, request: Request, namespace: str, name: str) -> Object:
        """Server-side apply: what others own and is different is a conflict, what others added stays."""
        manager = request.argument("fieldManager")
        if request.headers.get("content-type") != "application/apply-patch+yaml" or not manager:
            raise Refusal(400, "fieldManager is required for apply patch")
        given = request.json()
        policy: Object = self.state["policies"].setdefault(f"{namespace}/{name}", {"managers": {}, "spec": {}})
        for field, value in given["spec"].items():
            if policy["spec"].get(field, value) != value and policy["managers"].get(field) != manager:
                raise Refusal(409, f'Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.{field}')
        policy["metadata"] = {**policy.get("metadata", {}), **given["metadata"], "namespace": namespace}
        policy["spec"] |= given["spec"]
        policy["managers"] |= dict.fromkeys(given["spec"], manager)
        counted(self.state["calls"], "apply networkpolicies")
        return policy

    def _allow(self, request: Request, resource: str, *, listing: bool = False) -> None:
        verb = "list" if listing else request.method.lower()
        if f"{verb} {resource}" in self.state["denied"]:
            raise Refusal(403, f'{resource} is forbidden: User "soar" cannot {verb} resource "{resource}"')

    def _version(self) -> str:
        self.state["version"] += 1
        return str(self.state["version"])


def failure(status: int, message: str) -> Response:
    """A ``Status`` as the API server words it."""
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
    return json_response({**told, "reason": REASONS[status]}, status)
