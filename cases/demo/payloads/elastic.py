"""Detection alerts as Elastic Security 8.x indexes them."""

from __future__ import annotations

from typing import Any

from cases.demo.estate import CONSOLE, REALM, sha256
from cases.demo.scene import Scene


def encoded(scene: Scene) -> dict[str, Any]:
    """PowerShell was started with an encoded command."""
    command = "powershell.exe -NoProfile -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA"
    return _alert(
        scene,
        "PowerShell with an Encoded Command",
        "medium",
        47,
        ("T1059.001", "Command and Scripting Interpreter"),
        "A script host was given its program as encoded text.",
        {"process": _process("powershell.exe", command, scene.fact("parent", "explorer.exe", "outlook.exe"))},
    )


def new_domain(scene: Scene) -> dict[str, Any]:
    """Call-outs to a name that was registered days ago."""
    return _alert(
        scene,
        "Calls to a Newly Registered Domain",
        "high",
        73,
        ("T1071.004", "Application Layer Protocol"),
        "A machine asks for a name that did not exist last week, at regular intervals.",
        {
            "dns": {"question": {"name": scene.name}},
            "destination": {"ip": scene.address, "port": 443},
            "process": _process("winsvc32.exe", "winsvc32.exe -k netsvcs", "services.exe"),
        },
    )


def lateral(scene: Scene) -> dict[str, Any]:
    """A service was installed over the network."""
    target = scene.fact("target", "SRV-APP-07", "SRV-FILE-02")
    return _alert(
        scene,
        "Service Installed from Another Machine",
        "high",
        74,
        ("T1021.002", "Remote Services"),
        f"A service was made on {target} by a log-on from {scene.worker.host.name}.",
        {
            "destination": {"ip": scene.fact("target_ip", "10.30.7.17"), "domain": ""},
            "message": f"Service PSXSVC on {target}",
            "process": _process(
                "psxsvc.exe", f"psxsvc.exe \\\\{target} -s cmd.exe", "cmd.exe", scene.facts.get("sha256")
            ),
        },
    )


def travel(scene: Scene) -> dict[str, Any]:
    """Two log-ons too far apart."""
    city = scene.fact("city", "Lagos", "São Paulo", "Singapore", "Denver")
    return _alert(
        scene,
        "Impossible Travel",
        "medium",
        47,
        ("T1078", "Valid Accounts"),
        f"Log-ons from Oslo and from {city} within {scene.rng.randint(12, 55)} minutes.",
        {"source": {"ip": scene.address, "geo": {"city_name": city}}},
    )


def matched(scene: Scene) -> dict[str, Any]:
    """A connection to an address of the indicator feed."""
    feed = scene.fact("feed", "community abuse feed", "sector sharing group")
    alert = _alert(
        scene,
        "Connection to an Address on an Indicator List",
        "medium",
        50,
        ("T1071", "Application Layer Protocol"),
        f"{scene.address} is on the list of the {feed}.",
        {"destination": {"ip": scene.address, "port": scene.rng.choice((80, 443, 8443))}},
    )
    return {**alert, "threat.enrichments": [{"indicator": {"ip": scene.address}, "matched": {"atomic": scene.address}}]}


def _process(name: str, command: str, parent: str, digest: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "executable": f"C:\\Windows\\System32\\{name}",
        "command_line": command,
        "parent": {"name": parent},
        "hash": {"sha256": digest or sha256(name)},
    }


def _alert(
    scene: Scene, rule: str, severity: str, score: int, technique: tuple[str, str], story: str, event: dict[str, Any]
) -> dict[str, Any]:
    host = scene.worker.host
    document = {
        "@timestamp": scene.at(),
        "kibana.alert.uuid": scene.id("alert").replace("-", "") * 2,
        "kibana.alert.url": f"{CONSOLE}/security/alerts/redirect/{scene.id('alert')}",
        "kibana.alert.rule.name": rule,
        "kibana.alert.rule.description": story,
        "kibana.alert.rule.tags": ["Nordhavn", "Endpoint"],
        "kibana.alert.rule.threat": [
            {
                "framework": "MITRE ATT&CK",
                "technique": [
                    {
                        "id": technique[0].partition(".")[0],
                        "name": technique[1],
                        "subtechnique": [{"id": technique[0], "name": technique[1]}] if "." in technique[0] else [],
                    }
                ],
            }
        ],
        "kibana.alert.severity": severity,
        "kibana.alert.risk_score": score,
        "kibana.alert.reason": f"event by {scene.worker.login} on {host.name} created {severity} alert {rule}.",
        "kibana.alert.workflow_status": "open",
        "kibana.alert.original_time": scene.at(-75),
        "agent": {"name": host.name, "type": "endpoint"},
        "host": {"name": host.name, "ip": [host.address], "os": {"name": "Windows", "version": "11"}},
        "user": {"name": scene.worker.login, "domain": REALM},
    }
    return {
        "_index": ".internal.alerts-security.alerts-default-000011",
        "_id": scene.id("hit"),
        "_source": {**document, **event},
    }
