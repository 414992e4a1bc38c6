"""Payloads as their products really send them, read field by field where the files are at hand.

Collected only if the folder ``../shared/payloads`` exists beside the repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.ingest.digest import canonical_key
from tests.payloads_of import highlighted, load, read

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "payloads"
PORTAL = "https://portal.eu.xdr.trendmicro.com/index.html#/workbench/alerts/WB-11111-22222222-00000"

# File -> kind and, for each alert in it, what a person reads there. "has" are observables among others.
EXPECTED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "alertmanager_webhook_v4_probe_failure": ("alertmanager", [{
        "title": "BlackBox Probe Failure: https://server.example.org", "severity": "critical",
        "dedup_key": "1a30ba71cca2921f:2023-02-06T13:08:45.828Z", "occurred_at": "2023-02-06T13:08:45.828000+00:00",
        "hostname": "server.example.org", "detection_model": "ProbeFailure", "source_state": "firing",
        "only_state": False,
        "external_link": "http://prometheus.example.org:9090/graph?g0.expr=probe_success+%3D%3D+0&g0.tab=1",
        "has": {("url", "https://server.example.org")},
    }]),
    "elastic_security_alert_8_1_threat_match": ("elastic", [{
        "title": "threat-match-rule", "severity": "low", "detection_model": "threat-match-rule",
        "dedup_key": "30a75fe46d3dbdfab55982036f77a8d60e2d1112e96f277c3b8c22f9bb57817a",
        "occurred_at": "2022-03-19T02:48:12.634000+00:00", "first_seen": "2022-03-19T02:47:57.376000+00:00",
        "hostname": "security-linux-1", "source_ip": "11.200.0.194", "source_state": "open",
        "has": {("ip", "11.200.0.194")}, "highlighted": {("hostname", "security-linux-1")},
    }]),
    "opensoar_generic_webhook": ("opensoar", [{
        "title": "SSH Brute Force", "severity": "high", "hostname": "web-prod-01", "source_ip": "203.0.113.42",
        "tags": ["authentication", "brute-force"], "dedup_key": "", "has": {("ip", "203.0.113.42")},
    }]),
    "splunk_webhook_alert_action": ("splunk", [{
        "title": "Splunk search in the app search: sourcetype mongod, count 8", "severity": None,
        "source_ref": "scheduler_admin_search_W2_at_14232356_132",
        "external_link":
            "http://web.example.local:8000/app/search/@go?sid=scheduler_admin_search_W2_at_14232356_132",
        "has": set(),
    }]),
    "wazuh_alert_ssh_brute_force": ("wazuh", [{
        "title": "sshd: brute force trying to get access to the system. Non existent user.", "severity": "medium",
        "dedup_key": "1652272159.1549653", "occurred_at": "2022-05-11T12:29:19.905000+00:00",
        "hostname": "localhost.localdomain", "username": "paco", "source_ip": "172.17.1.1", "techniques": ["T1110"],
        "tags": ["syslog", "sshd", "authentication_failures"], "has": {("ip", "172.17.1.1"), ("user", "paco")},
    }]),
    "trend_vision_one_workbench_eicar_test_file_detection": ("visionone", [{
        "title": "Eicar Test File Detection", "detection_model": "Eicar Test File Detection", "severity": "low",
        "dedup_key": "WB-11111-22222222-00000", "occurred_at": "2024-11-26T16:51:29+00:00",
        "first_seen": "2024-11-26T16:44:04+00:00", "hostname": "windows10", "source_ip": "10.0.0.6",
        "external_link": PORTAL, "source_state": "Open", "determination": None, "techniques": [],
        "has": {("ip", "10.0.0.6")},
        "highlighted": {("sha1", "667db0b8ae0c459133e30f4147a1cac47cafddf8"), ("file_name", "eicar-com.txt"),
                        ("file_path", "C:\\Users\\jdoe\\Downloads\\eicar-com.txt")},
    }]),
    "trend_vision_one_workbench_list_response_message_1": ("visionone", [
        {
            "title": "Privilege Escalation via UAC Bypass", "severity": "high", "dedup_key": "WB-9002-20220906-00022",
            "occurred_at": "2022-09-06T02:49:31+00:00", "hostname": "nimda", "username": "shockwave\\sam",
            "source_ip": "10.10.58.51", "techniques": ["T1112", "T1548.002", "T1088"],
            "has": {("email", "support@pctutordetroit.com"),
                    ("file_path", "c:\\users\\sam\\appdata\\local\\cyzfc.dat")},
            "highlighted": {("registry_key", "HKCR\\ms-settings\\shell\\open\\command")},
        },
        {
            "title": "Credential Dumping via Mimikatz", "severity": "high", "dedup_key": "WB-9002-20220906-00023",
            "occurred_at": "2022-09-06T02:49:30+00:00", "hostname": "nimda", "username": "shockwave\\sam",
            "techniques": ["T1003.001", "T1059.003", "T1212"],
            "has": {("url", "https://raw.githubusercontent.com/mattifestation/powersploit/master/exfiltration/"
                            "invoke-mimikatz.ps1")},
            "highlighted": {("sha1", "1b3b40fbc889fd4c645cc12c85d0805ac36ba254"),
                            ("file_path", "c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe")},
        },
    ]),
    "trend_vision_one_workbench_project_injection": ("visionone", [{
        "title": "Process Injection from Windows Temporary Location to System32", "severity": "medium",
        "dedup_key": "WB-11111-22222222-00000", "occurred_at": "2024-07-23T07:49:48+00:00",
        "hostname": "PRESTATAIR-2K19", "username": "windows10\\jdoe", "source_ip": "1.231.184.40",
        "techniques": ["T1055.012", "T1055"], "external_link": f"{PORTAL}?ref=0c12e642ca5b7ed4436e5f23f568ae10066608d3",
        "has": {("ip", "fe80::87e9:927d:58dd:d66c"), ("sha1", "3437f7d4e4d48b0f19bd0bb73bb8a9fdbff2505f"),
                ("ip", "99.255.12.39"), ("user", "systel.support")},
    }]),
}  # fmt: skip
FILES = sorted(path.stem for path in FOLDER.glob("*.json")) if FOLDER.is_dir() else []
CASES = [
    pytest.param(name, kind, index, expected, id=f"{name}-{index}")
    for name, (kind, alerts) in EXPECTED.items()
    if name in FILES
    for index, expected in enumerate(alerts)
]

if CASES:

    @pytest.mark.parametrize(("name", "kind", "index", "expected"), CASES)
    def test_reads_as_a_person_does(name: str, kind: str, index: int, expected: dict[str, Any]) -> None:
        alerts = read(kind, load(name, FOLDER))
        assert len(alerts) == len(EXPECTED[name][1])
        alert = alerts[index]
        for field, value in expected.items():
            if field == "has":
                assert value <= {(found.type, found.value) for found in alert.observables}
            elif field == "highlighted":
                assert highlighted(alert) == value
            else:
                found = getattr(alert, field)
                assert (found.isoformat() if hasattr(found, "isoformat") else found) == value, field

    @pytest.mark.parametrize("name", FILES)
    def test_every_file_gets_a_title_even_as_plain_json(name: str) -> None:
        kind = EXPECTED[name][0] if name in EXPECTED else "generic"
        document = load(name, FOLDER)
        for item in document if isinstance(document, list) else [document]:
            for alert in read(kind, item):
                assert alert.title
                assert not alert.title.lower().startswith(("untitled", "unknown", "alert:", "alert with"))
                assert alert.dedup_key or canonical_key(item)
