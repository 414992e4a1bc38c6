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
    "thehive_alert_advanced": ("thehive", [{
        "title": "an advanced alert", "severity": "low", "source_ref": "should-be-unique",
        "dedup_key": "advanced;tutorial;should-be-unique", "tags": ["advanced", "example"],
        "detection_model": "advanced", "has": set(),
    }]),
    "thehive_alert_with_observables_api_docs": ("thehive", [{
        "title": "alert title", "severity": None, "source_ref": "1", "dedup_key": "alertType;test;1",
        "description": "alert description",
        "has": {("url", "http://example.org"), ("email", "foo@example.org")},
    }]),
    "thehive3_artifacts_elastalert2_expected": ("thehive", [{
        "title": "test-thehive", "severity": "medium", "tlp": "red", "tags": ["9876"], "source_state": "New",
        "source_ip": "127.0.0.1", "has": {("ip", "127.0.0.1"), ("asn", "AS1234")},
    }]),
    "iris_alert_elastalert2_expected": ("iris", [{
        "title": "Test Alert Subject", "severity": None, "occurred_at": "2023-10-21T20:00:00+00:00",
        "username": "good_user", "source_ip": "192.168.125.33", "tags": ["test", "alert"], "source_state": "New",
        "external_link": "https://example.com", "has": {("ip", "216.73.245.89")},
        "highlighted": {("ip", "192.168.125.33"), ("user", "good_user")},
    }]),
    "keep_alert_event": ("keep", [{
        "title": "Pod 'api-service-production' lacks memory", "severity": "critical", "dedup_key": "1234",
        "occurred_at": "2021-01-01T00:00:00+00:00", "hostname": "api-service-production", "source_state": "firing",
        "external_link": "https://www.keephq.dev?alertId=1234", "only_state": False, "has": set(),
    }]),
    "sentinel_incident_arm_rest": ("sentinel", [{
        "title": "My incident", "severity": "high", "dedup_key": "73e01a99-5cd7-4139-a149-9f2736ff2ab5",
        "occurred_at": "2019-01-01T13:15:30+00:00", "first_seen": "2019-01-01T13:00:30+00:00",
        "last_seen": "2019-01-01T13:05:30+00:00", "tags": ["InitialAccess", "Persistence"], "source_state": "Closed",
        "determination": "benign", "closed": True, "username": "", "hostname": "", "observables": [],
        "external_link": "https://portal.azure.com/#asset/Microsoft_Azure_Security_Insights/Incident/subscriptions/"
            "d0cfe6b2-9ac0-4464-9919-dccaee2e48c0/resourceGroups/myRg/providers/Microsoft.OperationalInsights/workspaces/"
            "myWorkspace/providers/Microsoft.SecurityInsights/incidents/73e01a99-5cd7-4139-a149-9f2736ff2ab5",
    }]),
    "sentinel_incident_python_sdk_1": ("sentinel", [{
        "title": "test 11", "severity": "medium", "dedup_key": "13000000-0000-0000-0000-9b8460000000",
        "occurred_at": "2025-02-03T13:32:12.236416+00:00", "last_seen": "2025-02-03T13:32:11.509000+00:00",
        "tags": ["test"], "source_state": "New", "determination": "benign", "closed": False, "observables": [],
    }]),
    "defender_endpoint_alert": ("defender", [{
        "title": "Low-reputation arbitrary code executed by signed executable", "severity": "low",
        "dedup_key": "da637472900382838869_1364969609", "occurred_at": "2021-01-26T20:33:57.722023+00:00",
        "first_seen": "2021-01-26T20:31:32.956266+00:00", "last_seen": "2021-01-26T20:31:33.057732+00:00",
        "hostname": "temp123.middleeast.corp.microsoft.com", "username": "DOMAIN\\temp123",
        "techniques": ["T1064", "T1085", "T1220"], "source_state": "New",
        "external_link": "https://security.microsoft.com/alerts/da637472900382838869_1364969609"
            "?tid=a839b112-1253-6432-9bf6-94542403f21c",
        "has": {("user", "DOMAIN\\name"), ("file_path", "C:\\Windows\\System32\\rundll32.exe")},
        "highlighted": {
            ("sha1", "ff836cfb1af40252bd2a2ea843032e99a5b262ed"),
            ("sha256", "a4752c71d81afd3d5865d24ddb11a6b0c615062fcc448d24050c2172d2cbccd6"),
            ("file_path", "C:\\Windows\\SysWOW64\\rundll32.exe"), ("file_path", "c:\\temp\\suspicious.dll"),
            ("sha1", "8563f95b2f8a284fc99da44500cd51a77c1ff36c"),
            ("sha256", "dc0ade0c95d6db98882bc8fa6707e64353cd6f7767ff48d6a81a6c2aef21c608"),
        },
    }]),
    "defender_xdr_incident_mimikatz": ("defender", [{
        "title": "'Mimikatz' hacktool was detected on one endpoint", "severity": "low", "dedup_key": "924521",
        "detection_model": "'Mimikatz' hacktool was detected", "occurred_at": "2020-09-06T12:18:03.626666+00:00",
        "first_seen": "2020-09-06T12:15:07.727204+00:00", "hostname": "user5cx.middleeast.corp.contoso.com",
        "external_link": "https://security.microsoft.com/incidents/924521", "source_state": "Active",
        "determination": None,
        "has": {("sha1", "5de839186691aa96ee2ca6d74f0a38fb8d1bd6dd"),
                ("file_path",
                 "C:\\Agent\\_work\\_temp\\Deploy_SYSTEM 2020-09-06 12_14_54\\Out\\Detector.UnitTests.dll")},
    }]),
    "microsoft_graph_security_incident": ("defender", [{
        "title": "Multi-stage incident involving Initial access & Command and control on multiple endpoints reported by"
            " multiple sources",
        "severity": "medium", "dedup_key": "2972395", "occurred_at": "2021-08-13T08:43:35.553333+00:00",
        "tags": ["Demo", "Defender Experts"], "determination": "malicious", "closed": False, "source_state": "Active",
        "external_link": "https://security.microsoft.com/incidents/2972395?tid=12f988bf-16f1-11af-11ab-1d7cd011db47",
        "username": "", "observables": [],
    }]),
    "crowdstrike_eventstream_detection_summary_event": ("crowdstrike", [{
        "title": "Overwatch Detection", "severity": "critical", "occurred_at": "2022-07-07T06:15:38+00:00",
        "first_seen": "2022-07-01T15:21:29+00:00", "last_seen": None, "hostname": "example.com",
        "username": "Administrator", "dedup_key": "46de5283260647ec8f28def00bffd094:DetectionSummaryEvent:189",
        "has": {("md5", "68b329da9893e34099c7d8ad5cb9c940"), ("sha1", "adc83b19e793491b1c6ea0fd8b46cd9f32e592fc"),
                ("sha256", "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"),
                ("file_path", "\\Device\\HarddiskVolume2\\Windows\\explorer.exe")},
    }]),
    "crowdstrike_eventstream_epp_detection_summary_event": ("crowdstrike", [{
        "title": "NGAV", "severity": "low", "occurred_at": "2024-06-10T15:21:11+00:00", "hostname": "example.com",
        "dedup_key": "44be50f58ccfcfcfcfcfcfcfcffc:ind:c8d1292a8a904216aa25ab728f4b45fd:11111111111-2222-3333333",
        "username": "OVAC\\USER11111", "source_ip": "1.2.3.4", "tags": ["Malware", "PUP"], "techniques": [],
        "external_link": "https://falcon.eu-1.crowdstrike.com/activity-v2/detections/44be50f58ccfcfcfcfcfcfcfcffc:ind:"
            "c8d1292a8a904216aa25ab728f4b45fd:11111111111-2222-3333333?_cid=99999999999999999999999999999999",
        "has": {("mac", "02:00:00:00:00:00"), ("ip", "1.2.3.4"), ("md5", "68b329da9893e34099c7d8ad5cb9c940")},
        "highlighted": {("sha256", "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b")},
    }]),
    "crowdstrike_eventstream_idp_summary_event": ("crowdstrike", [{
        "title": "Use of stale user account", "severity": "low", "techniques": ["T1078"],
        "dedup_key": "11111111111111111111111111111111:ind:11111111111111111111111111111111:"
            "4C3C6F82-C9C3-4FCB-9D17-DB88DC29E63F",
        "occurred_at": "2023-08-03T12:04:17+00:00", "first_seen": "2023-08-03T12:03:15.970000+00:00",
        "username": "EXAMPLE.ORG\\JOHNDOE", "external_link": "https://example.com/", "hostname": "",
    }]),
    "sentinelone_threat": ("sentinelone", [{
        "title": "Malware: nsh29ED.tmp", "severity": "medium", "dedup_key": "1112953674841025235",
        "detection_model": "On-Write Static AI - Suspicious", "occurred_at": "2021-03-16T14:00:16.879105+00:00",
        "first_seen": "2021-03-16T14:00:14.188000+00:00", "hostname": "host07.example.com",
        "username": "host07.example.com\\testuser", "source_ip": "1.1.1.1", "source_state": "unresolved",
        "has": {("mac", "08:00:27:52:5d:be"), ("ip", "203.0.113.10"), ("ip", "2001:db8:85a3::8a2e:370:7334"),
                ("process", "FileZilla_3.53.0_win64_sponsored-setup.exe")},
        "highlighted": {("sha1", "6" * 40), (
            "file_path",
            "\\Device\\HarddiskVolume2\\testusers\\testuser\\AppData\\Local\\Temp\\nsr1C3F.tmp\\nsh29ED.tmp",
        )},
    }]),
    "grafana_alerting_webhook_oncall": ("grafana", [
        {
            "title": f"Instance localhost:{port} down", "severity": "critical", "detection_model": "InstanceDown",
            "dedup_key": f"{key}:2023-06-12T08:24:38.326Z", "occurred_at": "2023-06-12T08:24:38.326000+00:00",
            "hostname": "localhost", "source_state": "firing", "only_state": False, "external_link": "",
            "tags": ["job:node", f"group:{group}"],
        }
        for port, key, group in (
            (8081, "f404ecabc8dd5cd7", "production"), (8082, "f8f08d4e32c61a9d", "canary"),
            (8083, "39f38c0611ee7abd", "production"),
        )
    ]),
    "xsoar_generic_webhook_array": ("xsoar", [
        {"title": name, "severity": None, "dedup_key": "", "observables": []} for name in ("incident1", "incident2")
    ]),
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
        document = load(name, FOLDER)
        alerts = [one for each in (document if isinstance(document, list) else [document]) for one in read(kind, each)]
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

    def test_every_file_is_read() -> None:
        assert set(FILES) <= set(EXPECTED)

    @pytest.mark.parametrize("name", FILES)
    def test_every_file_gets_a_title_and_a_key(name: str) -> None:
        kind = EXPECTED[name][0]
        document = load(name, FOLDER)
        for item in document if isinstance(document, list) else [document]:
            for alert in read(kind, item):
                assert alert.title
                assert not alert.title.lower().startswith(("untitled", "unknown", "alert:", "alert with"))
                assert alert.dedup_key or canonical_key(item)
