"""NetworkPolicies: ours, and which others let a pod go on talking. Pure.

What policies allow adds up: one that allows nothing takes nothing away from what another one allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soar.connectors.kubernetes.api import Row, child

LABEL = "soar-isolated"  # its value is the pod's uid: no other pod ever has it, whatever it is called
KEPT = "soar-labels"  # annotation: the labels that were taken off
TYPES = ["Ingress", "Egress"]
Labels = Mapping[str, Any]


def path(namespace: str, uid: str = "") -> str:
    """Where the policies of a namespace are, or ours for the pod."""
    below = f"/{name(uid)}" if uid else ""
    return f"apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies{below}"


def name(uid: str) -> str:
    """Ours for the pod."""
    return f"{LABEL}-{uid}".lower()


def ours(pod: Row) -> Row:
    """The policy that denies all to the pod of this uid. It goes with the pod: the cluster deletes what a deleted pod
    owned."""
    meta = child(pod, "metadata")
    uid = str(meta.get("uid"))
    owner = {"apiVersion": "v1", "kind": "Pod", "name": meta.get("name"), "uid": uid}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name(uid), "ownerReferences": [owner]},
        "spec": {"podSelector": {"matchLabels": {LABEL: uid}}, "policyTypes": TYPES},
    }


def denies(policy: Row, uid: str) -> bool:
    """Whether the policy, as the cluster has it now, denies all to that pod: others may have added to it."""
    spec = child(policy, "spec")
    whole = set(spec.get("policyTypes") or []) == set(TYPES)
    return whole and not spec.get("ingress") and not spec.get("egress") and selects(policy, {LABEL: uid})


def allowing(policies: list[Row], labels: Labels) -> list[str]:
    """The names of those that allow something to a pod with these labels."""
    return sorted(str(child(one, "metadata").get("name")) for one in policies if _allows(one) and selects(one, labels))


def selects(policy: Row, labels: Labels) -> bool:
    """Whether it is about pods with these labels; an empty selector is about all."""
    selector = child(child(policy, "spec"), "podSelector")
    wanted = child(selector, "matchLabels")
    terms = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(_holds(one, labels) for one in terms)


def _holds(term: Row, labels: Labels) -> bool:
    key, values = str(term.get("key")), term.get("values") or []
    known = {
        "In": key in labels and labels[key] in values,
        "NotIn": key not in labels or labels[key] not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    # An operator that is not known here might fit: nobody is told to be cut off who may not be.
    return known.get(str(term.get("operator")), True)


def _allows(policy: Row) -> bool:
    spec = child(policy, "spec")
    return bool(spec.get("ingress") or spec.get("egress"))
