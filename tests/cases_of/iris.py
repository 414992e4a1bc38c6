"""A case as DFIR-IRIS exports it."""

from __future__ import annotations

from typing import Any


def case() -> dict[str, Any]:
    """``GET /case/export?cid=4``."""
    return {
        "case": {
            "name": "#4 - Ransom note on a file server",
            "open_date": "2026-01-05",
            "description": "Files are encrypted. <img src=x onerror=alert(1)>",
            "soc_id": "SOC-77",
            "opened_by": "administrator",
            "for_customer": "Harbour office",
            "close_date": "2026-01-08",
            "custom_attributes": {"Legal": {"Reported": {"type": "input_string", "value": "yes"}}},
        },
        "evidences": [
            {"filename": "disk.e01", "date_added": "2026-01-06T08:00:00", "added_by": "administrator",
             "file_hash": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "custom_attributes": {}},
        ],
        "timeline": [
            {"event_id": 1, "event_title": "First sign-in", "event_date": "2026-01-04T23:12:00.000000",
             "event_tz": "+00:00", "event_content": "From 203.0.113.9", "event_tags": "T1078,admin",
             "event_source": "VPN log", "event_raw": "raw line", "category": "Initial Access",
             "last_edited_by": "Lina", "assets": ["FS-01 (Windows - Server)"]},
        ],
        "iocs": [
            {"ioc_value": "203.0.113.9", "type_name": "ip-src", "ioc_tags": "", "ioc_description": "VPN source"},
            {"ioc_value": "evil.example.net|203.0.113.10", "type_name": "domain|ip"},
            {"ioc_value": "pot*", "type_name": "yara"},
        ],
        "assets": [
            {"asset_id": 2, "asset_name": "FS-01", "asset_description": "the file server", "compromised": True,
             "type": "Windows - Server", "asset_ip": "10.1.2.3", "asset_ioc": [], "asset_tags": ""},
            {"asset_id": 3, "asset_name": "svc-backup", "type": "Windows Account - AD", "compromised": True},
        ],
        "tasks": [
            {"task_title": "Restore", "task_status": "Done", "task_open_date": "2026-01-05T10:00:00",
             "task_close_date": "2026-01-07T10:00:00", "task_description": "from tape", "assigned_to": "mara"},
            {"task_title": "Report", "task_status": "To do", "task_description": "", "assigned_to": "Lina"},
        ],
        "notes": [{"note_title": "Findings", "note_content": "It began with a password.",
                   "note_creationdate": "2026-01-06T09:00:00"}],
        "export_date": "2026-01-09T00:00:00",
    }  # fmt: skip
