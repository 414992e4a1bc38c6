"""Kubernetes: what can be done to a pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CONTAINER, ENDPOINT, IP, Result, Target
from soar.connectors.kinds import Kind
from soar.connectors.kubernetes import places, pods, policies
from soar.connectors.kubernetes.api import APPLY, MERGE, Cluster, KubernetesError, Row, child
from soar.connectors.kubernetes.places import Place
from soar.connectors.kubernetes.setup import ADDRESS, ALONE, SECRETS, SETTINGS, lacking, problems

ISOLATE, RESUME, TERMINATE = "isolate_container", "resume_container", "terminate_container"
MANAGER = "soar"
# What a patch hears of a pod that was changed meanwhile, and of another one that has its name (its uid is immutable).
MEANWHILE = {409, 422}
TRIES = 3  # when somebody else changes the pod at the same moment
PLUGIN = "as far as the network plugin of the cluster enforces NetworkPolicies"


class Kubernetes(Cluster):
    """Everything is bound to the uid of a pod, so nothing is ever done to its successor, and all of it may be sent
    again."""

    kind = "kubernetes"
    serves: ClassVar[frozenset[str]] = frozenset({ISOLATE, RESUME, TERMINATE})
    repeatable: ClassVar[frozenset[str]] = serves

    @classmethod
    def responsible(cls, settings: Mapping[str, Any], target: Target) -> bool:
        """See Responder. For the pods of its cluster and namespaces."""
        try:
            places.place_of(target, settings)
        except ConnectorError:
            return False
        return True

    def check(self) -> str:
        """Ask for the version, and which rights are missing. Raises ConnectorError."""
        version = str(self.get("test", "version").get("gitVersion") or "?")[:40]
        return (
            f"Kubernetes {version} takes the token.{lacking(self)} Whether its network plugin enforces NetworkPolicies \
it does not tell."
        )

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder. ``params["undoes"]``: what came of isolating, which names the pod by its uid."""
        place = places.place_of(target, self.account.settings)
        if capability == ISOLATE:
            return self._isolate(place, key)
        if capability == RESUME:
            undoes = params.get("undoes")
            uid = str(undoes.get("uid") or "") if isinstance(undoes, dict) else ""
            return self._resume(place, uid or place.uid, key)
        if capability == TERMINATE:
            return self._terminate(place, key)
        raise ConnectorError(f"Kubernetes cannot do {capability}.", permanent=True)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. The pod's uid is known only when the cluster is asked."""
        place = places.place_of(target, self.account.settings)
        uid = place.uid or "(uid of the pod)"
        pod: Row = {"metadata": {"name": place.name, "uid": uid}}
        found = self.preview("GET", place.path)["request"]
        ours = policies.path(place.namespace, place.uid or "uid-of-the-pod")
        if capability == ISOLATE:
            label = self.preview("PATCH", place.path, json=pods.isolating(pod, alone=False))["request"]
            return [found, self.preview("PATCH", ours, json=policies.ours(pod))["request"], label]
        if capability == RESUME:
            label = self.preview("PATCH", place.path, json=pods.resuming(pod))["request"]
            return [found, label, self.preview("DELETE", ours)["request"]]
        if capability == TERMINATE:
            return [found, self.preview("DELETE", place.path, json=self._deletion(uid))["request"]]
        raise ConnectorError(f"Kubernetes cannot do {capability}.", permanent=True)

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder. A pod is gone when its name is free or another one's."""
        namespace, name, uid = reference.split("/")
        place = Place(namespace, name, uid)
        pod = self.found(f"{capability}.poll", place.path)
        if pod is None or pods.uid_of(pod) != uid:
            return Result("done", _gone(place, another=pod is not None), reference, "Deleted")
        return Result("accepted", _waits(pod, place), reference, "Terminating")

    def _isolate(self, place: Place, key: str) -> Result:
        for last in (*[False] * (TRIES - 1), True):
            pod = self._pod(place, ISOLATE, key)
            self._about(pod, place)
            pods.check_isolatable(pod, place)
            uid = pods.uid_of(pod)
            if not pods.is_isolated(pod):
                self._refuse_allowed(place, pod)
            before = pods.is_isolated(pod) and not self.tried(ISOLATE, key) and self._is_denied(place, uid)
            self._deny(place, pod, key)
            if pods.is_isolated(pod):
                text = f"{place} was isolated already, {PLUGIN}."
                return Result("done", text, data={"pod": str(place), "uid": uid, "changed": not before})
            try:
                return self._label(place, pod, key)
            except KubernetesError as error:
                if error.status not in MEANWHILE or last:
                    raise
        raise AssertionError("the last try returns or raises")

    def _label(self, place: Place, pod: Row, key: str) -> Result:
        changes = pods.isolating(pod, alone=self._alone())
        done = self.patch(ISOLATE, place.path, changes, MERGE, key=key, fieldManager=MANAGER)
        if not pods.is_isolated(done):
            text = f"The cluster took the label off {place} again: a rule of its own stands against it."
            raise ConnectorError(text, permanent=True)
        request = {"method": "PATCH", "path": f"/{place.path}", "body": changes}
        owner = pods.owner_of(pod)
        text = f"All traffic of {place} is denied, {PLUGIN}."
        if "annotations" in changes["metadata"] and owner:
            text = f"{text} Its labels are off, so {owner} starts another pod in its place."
        return Result("done", text, request=request, data={"pod": str(place), "uid": pods.uid_of(pod), "changed": True})

    def _refuse_allowed(self, place: Place, pod: Row) -> None:
        """Raises ConnectorError if other policies would let the pod go on talking."""
        ours = {policies.LABEL: pods.uid_of(pod)}
        labels = ours if self._alone() else {**pods.labels_of(pod), **ours}
        others = self.listed(f"{ISOLATE}.policies", policies.path(place.namespace))
        if names := policies.allowing(others, labels):
            way = "" if self._alone() else " With the setting “labels” on “take off” they would be about it no more."
            text = (
                f"{place} would go on talking: NetworkPolicies allow it ({', '.join(names[:5])}), and none can forbid"
            )
            raise ConnectorError(f"{text} what another one allows. Nothing was changed.{way}", permanent=True)

    def _is_denied(self, place: Place, uid: str) -> bool:
        found = self.found(f"{ISOLATE}.before", policies.path(place.namespace, uid))
        return found is not None and policies.denies(found, uid)

    def _deny(self, place: Place, pod: Row, key: str) -> None:
        """Our policy, as it should be. Raises ConnectorError."""
        uid, where = pods.uid_of(pod), policies.path(place.namespace, pods.uid_of(pod))
        try:
            made = self.patch(f"{ISOLATE}.policy", where, policies.ours(pod), APPLY, key=key, fieldManager=MANAGER)
        except KubernetesError as error:
            if error.status == 409:  # fields of it are somebody else's: the same tomorrow
                error.permanent = True
            raise
        if not policies.denies(made, uid):
            text = f"Somebody changed the NetworkPolicy {policies.name(uid)}, so that it does not deny all."
            raise ConnectorError(f"{text} Delete it and try again.", permanent=True)

    def _resume(self, place: Place, uid: str, key: str) -> Result:
        sent = self._sent(RESUME, key)
        uid = uid or sent
        pod = self.found(f"{RESUME}.pod", place.path)
        if pod is None or (uid and pods.uid_of(pod) != uid):
            gone = _gone(place, another=pod is not None)
            self._drop(place, uid, key)
            return Result("done", f"{gone} There was nothing to give back.", data={"pod": str(place), "uid": uid})
        uid, before = pods.uid_of(pod), pods.is_isolated(pod)
        if before:
            self._unlabel(place, pod, key)
        dropped = self._drop(place, uid, key)
        ours = before or dropped or sent
        text = f"{place} has its network back." if ours else f"{place} was not isolated."
        return Result("done", text, data={"pod": str(place), "uid": uid})

    def _unlabel(self, place: Place, pod: Row, key: str) -> None:
        try:
            self.patch(RESUME, place.path, pods.resuming(pod), MERGE, key=key, fieldManager=MANAGER)
        except KubernetesError as error:
            now = self.found(f"{RESUME}.pod", place.path) if error.status in {404, *MEANWHILE} else pod
            if now is None or pods.uid_of(now) != pods.uid_of(pod):
                error.permanent = False  # the next try finds the pod gone
            raise

    def _drop(self, place: Place, uid: str, key: str) -> bool:
        """Delete our policy; False if there is none (any more)."""
        if not uid:
            return False
        try:
            self.send(f"{RESUME}.policy", "DELETE", policies.path(place.namespace, uid), key=key)
        except KubernetesError as error:
            if error.reason != "NotFound":
                raise
            return False
        return True

    def _terminate(self, place: Place, key: str) -> Result:
        # What was asked for in an earlier try is the pod that is meant: a StatefulSet gives its name to the next one.
        uid = self._sent(TERMINATE, key)
        pod = self.found(f"{TERMINATE}.pod", place.path)
        if uid and (pod is None or pods.uid_of(pod) != uid):
            return Result("done", _gone(place, another=pod is not None), data={"pod": str(place), "uid": uid})
        if pod is None:
            raise _missing(place)
        pods.check(pod, place)
        self._about(pod, place)
        uid = pods.uid_of(pod)
        reference = f"{place}/{uid}"
        request: Row = {"method": "DELETE", "path": f"/{place.path}", "body": self._deletion(uid)}
        if not pods.is_going(pod):
            try:
                self.send(TERMINATE, "DELETE", place.path, key=key, json=self._deletion(uid))
            except KubernetesError as error:
                # Gone meanwhile, or another one has its name: the precondition kept that one. Asking tells which.
                if error.reason != "NotFound" and error.status != 409:
                    raise
        data = {"pod": str(place), "uid": uid}
        return Result("accepted", _waits(pod, place), reference, "Terminating", request, data=data)

    def _pod(self, place: Place, operation: str, key: str) -> Row:
        """The pod that is meant. Raises ConnectorError."""
        pod = self.found(f"{operation}.pod", place.path)
        if pod is None:
            raise _missing(place)
        pods.check(pod, Place(place.namespace, place.name, place.uid or self._sent(operation, key)))
        return pod

    def _about(self, pod: Row, place: Place) -> None:
        """Ask before the pod is changed, by its names and labels, what runs it, its addresses and the node it is on.
        Raises HeldBack."""
        names = (f"{place}", place.name, pods.uid_of(pod), *pods.owners_of(pod))
        self.about_to(CONTAINER, *names, tags=[f"{key}={value}" for key, value in pods.labels_of(pod).items()])
        self.about_to(IP, *pods.addresses_of(pod))
        self.about_to(ENDPOINT, *pods.node_of(pod))

    def _sent(self, operation: str, key: str) -> str:
        """The uid of the pod that earlier tries of this task were about, "" if there were none."""
        tried = self.account.attempts.filter(operation=operation, idempotency_key=key[:200]) if key else ()
        for row in tried:
            body = row.request.get("body")
            told = body if isinstance(body, dict) else {}
            if uid := child(told, "metadata").get("uid") or child(told, "preconditions").get("uid"):
                return str(uid)
        return ""

    def _deletion(self, uid: str) -> Row:
        seconds = int(self.account.settings.get("grace_seconds") or 30)
        return {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": seconds,
            "preconditions": {"uid": uid},
        }

    def _alone(self) -> bool:
        return bool(self.account.settings.get("labels") == ALONE)


def _missing(place: Place) -> ConnectorError:
    return ConnectorError(f"There is no pod {place} in the cluster.", permanent=True)


def _gone(place: Place, *, another: bool) -> str:
    left = " Another one that has its name now was left alone." if another else ""
    return f"The pod {place} is gone.{left}"


def _waits(pod: Row, place: Place) -> str:
    owner, holding = pods.owner_of(pod), pods.finalizers_of(pod)
    text = f"{place} is being deleted."
    if holding:
        text = f"{text} It waits for {', '.join(holding[:3])}."
    return f"{text} {owner} starts another one in its place." if owner else text


KIND = Kind(
    name="kubernetes",
    label=_("Kubernetes"),
    connector=Kubernetes,
    address=ADDRESS,
    settings=SETTINGS,
    secrets=SECRETS,
    rules=problems,
)
