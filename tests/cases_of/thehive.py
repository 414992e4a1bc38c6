"""Cases as the API of TheHive gives them: one of version 5 with all its parts, one of version 4."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
START = 1_767_607_200_000  # 2026-01-05T10:00:00Z


def five() -> Json:
    """``GET /api/v1/case/{id}`` with what is asked for beside it."""
    return {
        "case": {
            "_id": "~41197720",
            "_type": "Case",
            "_createdBy": "lina@example.org",
            "_createdAt": START,
            "number": 812,
            "title": "Phishing with an invoice",
            "description": "A **mail** with an attachment.",
            "severity": 3,
            "severityLabel": "HIGH",
            "startDate": START,
            "endDate": START + 86_400_000,
            "tags": ["Phishing", "T1566.001", "phishing"],
            "flag": True,
            "tlp": 3,
            "tlpLabel": "AMBER+STRICT",
            "pap": 1,
            "papLabel": "GREEN",
            "status": "TruePositive",
            "stage": "Closed",
            "summary": "The mail was taken back.",
            "impactStatus": "NoImpact",
            "assignee": "mara",
            "customFields": [
                {"_id": "~1", "name": "business-unit", "type": "string", "value": "Sales | North", "order": 0},
                {"_id": "~2", "name": "reported", "type": "date", "value": START, "order": 1},
                {"_id": "~3", "name": "empty", "type": "string", "value": None, "order": 2},
            ],
            "extraData": {},
        },
        "tasks": [
            {
                "_id": "~5", "title": "Take the mail back", "group": "Containment", "status": "Completed",
                "order": 1, "endDate": START + 3_600_000, "assignee": "mara", "mandatory": True,
                "_updatedBy": "mara", "logs": [
                    {"_id": "~7", "message": "Taken back from 12 mailboxes", "date": START + 3_500_000,
                     "_createdBy": "mara"},
                    {"_id": "~8", "message": "Screenshot", "date": START, "attachment": {"name": "s.png"}},
                ],
            },
            {"_id": "~6", "title": "Tell the sender", "group": "default", "status": "Waiting", "order": 0,
             "dueDate": START + 90_000_000, "assignee": "nobody-here"},
            {"_id": "~9", "title": "Not needed", "status": "Cancel", "order": 2},
        ],
        "observables": [
            {"_id": "~10", "dataType": "ip", "data": "203.0.113.9", "ioc": True, "message": "the sender's server"},
            {"_id": "~11", "dataType": "mail", "data": "billing@example.net"},
            {"_id": "~12", "dataType": "hash", "data": "5d41402abc4b2a76b9719d911017c592"},
            {"_id": "~13", "dataType": "user-agent", "data": "Mozilla/5.0"},
            {"_id": "~14", "dataType": "domain", "data": "not a domain"},
            {"_id": "~15", "dataType": "file", "attachment": {"name": "invoice.exe", "size": 5, "hashes": [
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"]}},
        ],
        "comments": [{"_id": "~20", "message": "<script>alert(1)</script> seen\u202e", "createdAt": START + 1000,
                      "createdBy": "lina@example.org"}],
        "procedures": [{"_id": "~30", "patternId": "T1204.002", "occurDate": START, "description": "opened it"},
                       {"_id": "~31", "patternId": "S0001", "occurDate": START}],
        "pages": [{"_id": "~40", "title": "Report", "content": "## All of it", "_createdBy": "lina@example.org"}],
        "attachments": [{"name": "a.bin"}],
    }  # fmt: skip


def four() -> Json:
    """``GET /api/case/{id}`` with artifacts and tasks inside."""
    return {
        "id": "AW1x",
        "_id": "AW1x",
        "caseId": 7,
        "title": "Scan",
        "description": "",
        "severity": 1,
        "startDate": START,
        "owner": "gone",
        "status": "Open",
        "tags": [],
        "tlp": 3,
        "pap": 3,
        "customFields": {"site": {"string": "Gothenburg", "order": 0}, "hosts": {"integer": 4}},
        "tasks": [{"id": "t1", "title": "Look", "status": "InProgress"}],
        "artifacts": [{"id": "a1", "dataType": "fqdn", "data": "scan.example.net"}],
    }
