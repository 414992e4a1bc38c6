"""What Splunk's webhook action posts: a search and its first row."""

from __future__ import annotations

from typing import Any

from cases.demo.estate import CONSOLE, MAIL
from cases.demo.scene import Scene


def spraying(scene: Scene) -> dict[str, Any]:
    """Many accounts, few passwords, one address."""
    users = scene.fact("users", 14, 23, 41)
    return _search(
        scene,
        "VPN: password spraying from one address",
        "high",
        {
            "src": scene.address,
            "dest": "edge-vpn-01",
            "dest_ip": "10.30.1.21",
            "user": scene.worker.login,
            "distinct_users": str(users),
            "failures": str(users * 3),
            "annotations.mitre_attack": ["T1110.003"],
            "tag": "authentication,vpn",
        },
    )


def upload(scene: Scene) -> dict[str, Any]:
    """A lot of data went to a file-sharing service."""
    size = scene.fact("gigabytes", 1.8, 2.6, 4.1)
    return _search(
        scene,
        "DLP: large upload to a file-sharing service",
        "medium",
        {
            "src": scene.worker.host.address,
            "src_host": scene.worker.host.name,
            "dest": scene.name,
            "dest_ip": scene.address,
            "user": scene.worker.login,
            "bytes_out": str(int(size * 10**9)),
            "category": "file sharing",
            "url": f"https://{scene.name}/upload/{scene.id()[:8]}",
            "annotations.mitre_attack": ["T1567.002"],
            "tag": "dlp,web",
        },
    )


def lockouts(scene: Scene) -> dict[str, Any]:
    """An account was locked again and again."""
    return _search(
        scene,
        "Identity: repeated lock-outs of an account",
        "low",
        {
            "src": scene.worker.host.address,
            "src_host": scene.worker.host.name,
            "dest": "DC-OSL-01",
            "user": scene.worker.login,
            "count": str(scene.rng.randint(6, 30)),
            "signature_id": "4740",
            "annotations.mitre_attack": ["T1110"],
            "tag": "authentication",
        },
    )


def forwarding(scene: Scene) -> dict[str, Any]:
    """A mailbox rule sends mail outside."""
    outside = scene.fact("outside", f"archive.{scene.worker.login}@post-box.example.org")
    return _search(
        scene,
        "Mail: rule forwards messages to an outside address",
        "high",
        {
            "src": scene.address,
            "user": scene.worker.mail,
            "mailbox": scene.worker.mail,
            "recipient": outside,
            "rule_name": scene.fact("rule", ".", "sync", "old"),
            "operation": "New-InboxRule",
            "annotations.mitre_attack": ["T1114.003"],
            "tag": "email,change",
        },
    )


def admin_group(scene: Scene) -> dict[str, Any]:
    """Somebody became an administrator outside the change window."""
    return _search(
        scene,
        "Identity: member added to an administrators group",
        "medium",
        {
            "dest": "DC-OSL-01",
            "user": scene.worker.login,
            "src_user": scene.fact("by", "svc-join", "a.petrov"),
            "group": scene.fact("group", "Server Operators", "Domain Admins", "Backup Operators"),
            "annotations.mitre_attack": ["T1098"],
            "tag": "change,account",
        },
    )


def _search(scene: Scene, name: str, urgency: str, row: dict[str, Any]) -> dict[str, Any]:
    run = f"scheduler__secops__security__RMD5{scene.number:04x}_at_{int(scene.moment.timestamp())}_{scene.number}"
    result = {"_time": f"{scene.moment.timestamp():.3f}", "urgency": urgency, "orig_index": "security", **row}
    return {
        "sid": run,
        "search_name": name,
        "app": "security",
        "owner": f"secops@{MAIL}",
        "results_link": f"{CONSOLE}/app/security/@go?sid={run}",
        "result": result,
    }
