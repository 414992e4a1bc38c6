"""What an account of a cluster is made of, and which rights its service account lacks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.kinds import Setting
from soar.connectors.kubernetes.api import Cluster, child, understood
from soar.connectors.kubernetes.places import NAMESPACE, listed

KEEP, ALONE = "keep", "take off"
REVIEWS = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
POLICIES = "networking.k8s.io"
# Verb, group, resource.
RIGHTS = (
    ("get", "", "pods"),
    ("patch", "", "pods"),
    ("delete", "", "pods"),
    ("list", POLICIES, "networkpolicies"),
    ("create", POLICIES, "networkpolicies"),
    ("patch", POLICIES, "networkpolicies"),
    ("delete", POLICIES, "networkpolicies"),
)
ADDRESS = Setting("url", gettext_noop("Address of the API server, https://host:6443"), form="url", required=True)
SETTINGS = (
    Setting(
        "cluster",
        gettext_noop("How targets call this cluster; several names with commas. Others go elsewhere"),
        required=True,
    ),
    Setting("unnamed", gettext_noop("Take targets that name no cluster"), form="flag", default=False),
    Setting(
        "namespaces", gettext_noop("Namespaces to act in, with commas; empty: all but those that begin with kube-")
    ),
    Setting(
        "labels",
        gettext_noop("Taken off, other policies, services and its controller let go of the pod until it is resumed"),
        form="choice",
        choices=(KEEP, ALONE),
        default=KEEP,
    ),
    Setting(
        "grace_seconds", gettext_noop("Seconds that a terminated pod has to end by itself"), form="number", default=30
    ),
)
SECRETS = (Setting("token", gettext_noop("Token of the service account"), required=True),)


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    errors = {}
    if not listed(settings, "cluster"):
        errors["cluster"] = _("Give at least one name.")
    if wrong := [one for one in listed(settings, "namespaces") if not NAMESPACE.fullmatch(one)]:
        errors["namespaces"] = _("%(wrong)s is no name of a namespace.") % {"wrong": wrong[0]}
    if not 1 <= settings["grace_seconds"] <= 3600:
        errors["grace_seconds"] = _("From 1 to 3600: at 0 nobody waits for the node to say that the pod has ended.")
    if urlsplit(settings["url"]).scheme == "http" and not settings.get("allow_internal"):
        errors["url"] = _("The token would go unencrypted: the address must begin with https://.")
    return errors


def lacking(api: Cluster) -> str:
    """A sentence about rights that the service account does not have, "" if it has all. Raises ConnectorError."""
    namespaces = listed(api.account.settings, "namespaces") or [""]
    missing = [
        f"{verb} {resource}{f' in {where}' if where else ''}"
        for where in namespaces[:5]
        for verb, group, resource in RIGHTS
        if not _may(api, where, verb, group, resource)
    ]
    return f" The service account lacks: {', '.join(missing)}." if missing else ""


def _may(api: Cluster, namespace: str, verb: str, group: str, resource: str) -> bool:
    asked = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = understood(api.call("test.rights", "POST", REVIEWS, json=body, idempotent=True))
    return child(answer, "status").get("allowed") is True
