"""What TheHive's words are here. Versions 4 and 5."""

from __future__ import annotations

SEVERITIES = {1: "low", 2: "medium", 3: "high", 4: "critical"}
PAPS = {0: "clear", 1: "green", 2: "amber", 3: "red"}
TLPS_4 = {0: "clear", 1: "green", 2: "amber", 3: "red"}
TLPS_5 = {0: "clear", 1: "green", 2: "amber", 3: "amber+strict", 4: "red"}
# How a case ended: (determination, findings). A case that ended otherwise is noteworthy here: it needs a verdict.
VERDICTS = {
    "TruePositive": ("malicious", "true_positive"),
    "FalsePositive": ("benign", "false_positive"),
    "Indeterminate": ("suspicious", "noteworthy"),
}
ENDED = ("TruePositive", "FalsePositive", "Indeterminate", "Duplicated", "Other")
DATA_TYPES = {
    "ip": "ip",
    "domain": "domain",
    "fqdn": "hostname",
    "hostname": "hostname",
    "url": "url",
    "mail": "email",
    "email": "email",
    "filename": "file_name",
    "registry": "registry_key",
    "autonomous-system": "asn",
    "asn": "asn",
    "cve": "cve",
    "user": "user",
    "username": "user",
    "account": "user",
    "mac": "mac",
    "mac-address": "mac",
    "file_path": "file_path",
    "filepath": "file_path",
    "process": "process",
    "bitcoin": "crypto",
    "btc": "crypto",
}
HASHES = {32: "md5", 40: "sha1", 64: "sha256"}
