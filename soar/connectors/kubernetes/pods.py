"""A pod as the cluster tells it, and what of it stands against an action."""

from __future__ import annotations

import json
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.kubernetes.api import Row, child
from soar.connectors.kubernetes.places import Place
from soar.connectors.kubernetes.policies import KEPT, LABEL

MIRROR = "kubernetes.io/config.mirror"
ENDED = {"Succeeded", "Failed"}


def uid_of(pod: Row) -> str:
    """The uid: another pod of the same name has another one."""
    return str(child(pod, "metadata").get("uid") or "")


def labels_of(pod: Row) -> dict[str, Any]:
    """Its labels."""
    return child(child(pod, "metadata"), "labels")


def is_isolated(pod: Row) -> bool:
    """Whether it bears our label."""
    return labels_of(pod).get(LABEL) == uid_of(pod)


def is_going(pod: Row) -> bool:
    """Whether it is being deleted."""
    return bool(child(pod, "metadata").get("deletionTimestamp"))


def owner_of(pod: Row) -> str:
    """What starts another one in its place, "" if nothing does."""
    owners = child(pod, "metadata").get("ownerReferences") or []
    return next((f"{one.get('kind')} {one.get('name')}" for one in owners if one.get("controller")), "")


def owners_of(pod: Row) -> list[str]:
    """The names of what keeps it: of a ReplicaSet also that of the Deployment, to which a hash was added."""
    found = []
    for one in child(pod, "metadata").get("ownerReferences") or []:
        name = str(one.get("name") or "")
        found += [name, name.rpartition("-")[0]] if one.get("kind") == "ReplicaSet" else [name]
    return [name for name in found if name]


def addresses_of(pod: Row) -> list[str]:
    """Its own addresses; of a pod in the network of its node there are none."""
    if child(pod, "spec").get("hostNetwork"):
        return []
    status = child(pod, "status")
    several = [str(one.get("ip") or "") for one in status.get("podIPs") or [] if isinstance(one, dict)]
    return [one for one in (str(status.get("podIP") or ""), *several) if one]


def node_of(pod: Row) -> list[str]:
    """Name and address of the node it runs on, as far as the cluster tells."""
    told = (child(pod, "spec").get("nodeName"), child(pod, "status").get("hostIP"))
    return [str(one) for one in told if one]


def finalizers_of(pod: Row) -> list[str]:
    """Who has to agree before it is gone."""
    return [str(one) for one in child(pod, "metadata").get("finalizers") or []]


def check(pod: Row, place: Place) -> None:
    """Raises ConnectorError for a pod that is not the one that is meant, or not the API server's to change."""
    if place.uid and uid_of(pod) != place.uid:
        raise _no(f"The pod {place} that is meant is gone; another one has its name now. Nothing was changed.")
    if MIRROR in child(child(pod, "metadata"), "annotations"):
        raise _no(f"{place} is a static pod: its node runs it, whatever the API server is told. Nothing was changed.")


def check_isolatable(pod: Row, place: Place) -> None:
    """Raises ConnectorError where a NetworkPolicy would change nothing."""
    if child(pod, "spec").get("hostNetwork"):
        raise _no(f"{place} uses the network of its node, of which no NetworkPolicy holds. Isolate the node instead.")
    if child(pod, "status").get("phase") in ENDED:
        raise _no(f"{place} has ended: nothing runs in it any more.")


def isolating(pod: Row, *, alone: bool) -> Row:
    """The patch that puts our label on. ``alone``: and takes the others off, so that no policy, service or controller
    is about the pod any more; an annotation remembers them."""
    meta = child(pod, "metadata")
    changes: Row = {"uid": uid_of(pod), "labels": {LABEL: uid_of(pod)}}
    others = {key: value for key, value in labels_of(pod).items() if key != LABEL}
    if alone and others:
        changes["resourceVersion"] = meta.get("resourceVersion")
        changes["labels"] |= dict.fromkeys(others)
        changes["annotations"] = {KEPT: json.dumps(others, sort_keys=True)}
    return {"metadata": changes}


def resuming(pod: Row) -> Row:
    """The patch that takes our label off and puts back what was taken."""
    kept = child(child(pod, "metadata"), "annotations").get(KEPT)
    changes: Row = {"uid": uid_of(pod), "labels": {LABEL: None, **_read(kept)}}
    if kept is not None:
        changes["annotations"] = {KEPT: None}
    return {"metadata": changes}


def _read(text: Any) -> dict[str, str]:
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _no(text: str) -> ConnectorError:
    return ConnectorError(text, permanent=True)
