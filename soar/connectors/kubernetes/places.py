"""Which pod of which cluster a target is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CONTAINER, Target

NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
OWN = "kube-"  # what the cluster itself runs on


@dataclass(frozen=True, slots=True)
class Place:
    """``uid``: of the very pod that is meant, "" if the target does not tell it."""

    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"api/v1/namespaces/{self.namespace}/pods/{self.name}"


def place_of(target: Target, settings: Mapping[str, Any]) -> Place:
    """Where the pod is, if it is of this account's cluster and namespaces. Raises ConnectorError."""
    cluster, namespace, name = _parts(target)
    names = listed(settings, "cluster")
    if target.kind != CONTAINER or not name:
        raise _no("The target tells no pod: it is named cluster/namespace/pod.")
    if cluster and cluster.casefold() not in {one.casefold() for one in names}:
        raise _no(f"{name} is of the cluster {cluster}; this connector is set up for {', '.join(names)}.")
    if not cluster and not settings.get("unnamed"):
        raise _no(f"{target.value} names no cluster: it is written cluster/namespace/pod.")
    if not NAMESPACE.fullmatch(namespace):
        raise _no(f"{target.value} does not tell the namespace of its pod.")
    if not NAME.fullmatch(name):
        raise _no(f"{name} is no name of a pod.")
    within = listed(settings, "namespaces")
    if namespace not in within if within else namespace.startswith(OWN):
        raise _no(f"Pods of the namespace {namespace} are not touched by this connector.")
    return Place(namespace, name, _text(target, "pod_uid"))


def listed(settings: Mapping[str, Any], name: str) -> list[str]:
    """The values of a setting that holds several, separated by commas."""
    return [one.strip() for one in str(settings.get(name) or "").split(",") if one.strip()]


def _parts(target: Target) -> tuple[str, str, str]:
    """Cluster, namespace and pod: what the source told, else the parts of the value. The name of a cluster may hold
    slashes itself."""
    *before, name = target.value.strip().rsplit("/", 2)
    cluster = before[0] if len(before) == 2 else ""
    namespace = before[-1] if before else ""
    facts = (_text(target, "cluster"), _text(target, "namespace"), _text(target, "pod"))
    return facts[0] or cluster, facts[1] or namespace, facts[2] or name


def _text(target: Target, name: str) -> str:
    value = target.facts.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""


def _no(text: str) -> ConnectorError:
    return ConnectorError(text, permanent=True)
