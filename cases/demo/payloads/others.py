"""Alertmanager's groups, the mail gateway's own JSON, and the partner's feed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cases.demo.estate import CONSOLE, sha256
from cases.demo.scene import Scene


def metric(scene: Scene, state: str = "firing") -> dict[str, Any]:
    """One alert of a rule that watches figures; ``state`` is firing or resolved."""
    name, severity, text = scene.fact(
        "rule",
        ("CertificateExpiresSoon", "warning", "The certificate of {host} ends in less than 7 days."),
        ("AuthFailureRateHigh", "warning", "Failed log-ons at {host} are ten times the usual."),
        ("EgressSpike", "critical", "{host} sends five times as much as usual."),
        ("AgentSilent", "info", "The agent of {host} has not reported for 30 minutes."),
    )
    host = scene.server
    start = scene.moment.replace(microsecond=0)
    labels = {"alertname": name, "severity": severity, "instance": f"{host.name}:9100", "cluster": "osl-1"}
    alert = {
        "status": state,
        "labels": labels,
        "annotations": {"summary": text.format(host=host.name)},
        "startsAt": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "endsAt": (start + timedelta(minutes=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if state == "resolved"
        else "0001-01-01T00:00:00Z",
        "generatorURL": f"{CONSOLE}/graph?g0.expr={name.lower()}",
        "fingerprint": scene.id(name).replace("-", "")[:16],
    }
    return {
        "version": "4",
        "status": state,
        "receiver": "soar",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "externalURL": CONSOLE,
        "groupLabels": {"alertname": name},
        "commonLabels": labels,
        "commonAnnotations": {},
        "alerts": [alert],
    }


def reported(scene: Scene) -> dict[str, Any]:
    """Somebody reported a message."""
    subject = scene.fact(
        "subject",
        "Your parcel is waiting",
        "Password ends today",
        "Shared a document with you",
        "Unpaid invoice",
        "Voice message (0:42)",
    )
    return _mail(
        scene,
        f"Reported message: '{subject}'",
        "medium",
        "user_report",
        {
            "subject": subject,
            "url": f"https://{scene.name}/{scene.id()[:6]}",
            "techniques": ["T1566.002"],
            "details": f"{scene.worker.name} reported it from {scene.worker.unit}. Sent through {scene.address}.",
        },
    )


def attachment(scene: Scene) -> dict[str, Any]:
    """A message with a dangerous attachment was held."""
    file = scene.fact("file", "Invoice 20417.docm", "Statement.html", "Order.iso", "Scan_0031.zip")
    return _mail(
        scene,
        f"Attachment held: {file}",
        "low",
        "attachment_held",
        {
            "file_name": file,
            "sha256": scene.fact("sha256", sha256(file)),
            "techniques": ["T1566.001"],
            "details": f"Held before it reached {scene.worker.mail}.",
        },
    )


def delivered(scene: Scene) -> dict[str, Any]:
    """A message was found bad after it had been delivered."""
    file = scene.fact("file", "Invoice 88213.docm")
    return _mail(
        scene,
        f"Delivered message found malicious: '{scene.fact('subject', 'Overdue invoice')}'",
        "high",
        "found_after_delivery",
        {
            "subject": scene.fact("subject", "Overdue invoice"),
            "file_name": file,
            "techniques": ["T1566.001"],
            "sha256": scene.fact("sha256", sha256(file)),
            "recipients": scene.fact("recipients", 3),
            "url": f"https://{scene.name}/view",
        },
    )


def breach(scene: Scene) -> dict[str, Any]:
    """The partner found our addresses in a collection of passwords."""
    count = scene.fact("count", 3, 7, 12)
    message = (
        f"{count} addresses of nordhavn.example.com in the collection {scene.fact('collection', 'Amber-22', 'Kelp-9')}"
    )
    return {
        "rule": {"name": "Staff Addresses in a Public Dump", "severity": 3},
        "message": message,
        "email": scene.worker.mail,
        "id": scene.number + 70000,
        "tags": ["credential-leak"],
        "tenant": "nordhavn",
        "timestamp": scene.at(),
    }


def lookalike(scene: Scene) -> dict[str, Any]:
    """The partner saw a name that looks like ours."""
    return {
        "rule": {"name": "Lookalike Domain Registered", "severity": 2},
        "id": scene.number + 70000,
        "message": f"{scene.name} resolves to {scene.address} and shows a log-in page in our colours",
        "domain": scene.name,
        "dest_ip": scene.address,
        "tags": ["brand", "phishing"],
        "tenant": "nordhavn",
        "timestamp": scene.at(),
    }


def _mail(scene: Scene, title: str, severity: str, kind: str, more: dict[str, Any]) -> dict[str, Any]:
    sender = scene.fact("sender", f"billing@{scene.name}", f"no-reply@{scene.name}", f"service@{scene.name}")
    return {
        "title": title,
        "severity": severity,
        "alert_id": f"MG-{scene.number:06d}",
        "event_time": scene.at(),
        "rule_name": kind,
        "sender": sender,
        "recipient": scene.worker.mail,
        "username": scene.worker.login,
        "source_ip": scene.address,
        "link": f"{CONSOLE}/mail/MG-{scene.number:06d}",
        "tags": ["email"],
        **more,
    }
