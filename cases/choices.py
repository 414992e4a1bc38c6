"""States with their words, labels, tones and legal transitions. Badge, form and API ask these classes.

The numbers are stored, the words stand in JSON and in URLs (contract.md)."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_noop as _


class Words(models.IntegerChoices):
    """Integer choices whose member names, in lower case, are the words of the API."""

    @property
    def word(self) -> str:
        """The API's word: ``in_progress``."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> Self:
        """The member for an API word. Raises ValueError that names the words there are."""
        try:
            return cls[str(word).strip().upper()]
        except KeyError:
            known = ", ".join(member.word for member in cls)
            raise ValueError(f"{word!r} is not one of: {known}.") from None

    @classmethod
    def words(cls) -> list[str]:
        """All words in order."""
        return [member.word for member in cls]


class Severity(Words):
    """How bad it would be if true. Higher number, more urgent: lists sort by it."""

    INFORMATIONAL = 0, _("Informational")
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")


class AlertStatus(Words):
    """casework.md 1: new, in progress, resolved; reopening is allowed and recorded."""

    NEW = 0, _("New")
    IN_PROGRESS = 1, _("In progress")
    RESOLVED = 2, _("Resolved")

    @property
    def is_open(self) -> bool:
        """Still work for somebody."""
        return self is not AlertStatus.RESOLVED


class Determination(Words):
    """What it turned out to be. Resolving with *unknown* is refused everywhere (casework.md 1)."""

    UNKNOWN = 0, _("Unknown")
    BENIGN = 1, _("Benign")
    SUSPICIOUS = 2, _("Suspicious")
    MALICIOUS = 3, _("Malicious")


class IncidentStatus(Words):
    """casework.md 6. A closed or resolved incident may be reopened."""

    OPEN = 0, _("Open")
    IN_PROGRESS = 1, _("In progress")
    CONTAINED = 2, _("Contained")
    RESOLVED = 3, _("Resolved")
    CLOSED = 4, _("Closed")

    @property
    def is_open(self) -> bool:
        """Still work for somebody."""
        return self < IncidentStatus.RESOLVED


class RelationKind(models.TextChoices):
    """How two incidents hang together, as the one that was given says it of the other (casework.md 6)."""

    DUPLICATE_OF = "duplicate_of", _("duplicate of")
    CHILD_OF = "child_of", _("child of")
    CAUSED_BY = "caused_by", _("caused by")
    RELATED_TO = "related_to", _("related to")


# Each kind seen from the other incident, with its label. What is the same from both sides is not here.
RELATION_INVERSES = {
    RelationKind.DUPLICATE_OF: ("has_duplicate", _("has the duplicate")),
    RelationKind.CHILD_OF: ("parent_of", _("parent of")),
    RelationKind.CAUSED_BY: ("cause_of", _("cause of")),
}


class TaskStatus(Words):
    """A task of an incident (casework.md 10)."""

    OPEN = 0, _("Open")
    DONE = 1, _("Done")


class IncidentKind(models.TextChoices):
    """What sort of incident a template is for (casework.md 10)."""

    PHISHING = "phishing", _("Phishing")
    MALWARE = "malware", _("Malware")
    ACCOUNT_TAKEOVER = "account_takeover", _("Account takeover")
    DATA_LOSS = "data_loss", _("Data loss")
    RANSOMWARE = "ransomware", _("Ransomware")
    DENIAL_OF_SERVICE = "denial_of_service", _("Denial of service")
    OTHER = "other", _("Other")


class Risk(Words):
    """Rating of an observable (rulings 2)."""

    UNRATED = 0, _("Unrated")
    SUSPICIOUS = 1, _("Suspicious")
    HIGHLY_SUSPICIOUS = 2, _("Highly suspicious")


class Criticality(Words):
    """How much depends on an asset. Set by people, never by alerts."""

    UNKNOWN = 0, _("Not set")
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")


class Tlp(models.TextChoices):
    """Traffic Light Protocol 2.0."""

    CLEAR = "clear", "TLP:CLEAR"
    GREEN = "green", "TLP:GREEN"
    AMBER = "amber", "TLP:AMBER"
    AMBER_STRICT = "amber+strict", "TLP:AMBER+STRICT"
    RED = "red", "TLP:RED"


class Pap(models.TextChoices):
    """Permissible Actions Protocol."""

    CLEAR = "clear", "PAP:CLEAR"
    GREEN = "green", "PAP:GREEN"
    AMBER = "amber", "PAP:AMBER"
    RED = "red", "PAP:RED"


class Findings(models.TextChoices):
    """What a determination means for the statistics (rulings 15); asked when resolving as benign."""

    NONE = "", _("No findings")
    TRUE_POSITIVE = "true_positive", _("True positive")
    BENIGN_TRUE_POSITIVE = "benign_true_positive", _("Benign true positive")
    FALSE_POSITIVE = "false_positive", _("False positive")
    NOTEWORTHY = "noteworthy", _("Noteworthy")


FINDINGS_OF = {
    Determination.UNKNOWN: (Findings.NONE,),
    Determination.MALICIOUS: (Findings.TRUE_POSITIVE,),
    Determination.SUSPICIOUS: (Findings.NOTEWORTHY,),
    Determination.BENIGN: (Findings.FALSE_POSITIVE, Findings.BENIGN_TRUE_POSITIVE),
}

OBSERVABLE_TYPES = (
    "ip", "cidr", "domain", "url", "email", "md5", "sha1", "sha256", "cve", "technique", "file_name",
    "file_path", "registry_key", "user", "process", "mac", "asn", "crypto", "hostname",
)  # fmt: skip


class RepeatRule(models.TextChoices):
    """What a repeat of a resolved alert does (rulings 16)."""

    AUTO = "auto", _("Reopen; only count if resolved as benign or by a playbook within 24 h")
    REOPEN = "reopen", _("Reopen")
    NEW = "new", _("New alert")
    COUNT = "count", _("Count only")
