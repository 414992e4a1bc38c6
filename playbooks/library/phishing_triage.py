"""First look at a mail that may be phishing: who sent it, what it links to, what it carries, whom it imitates."""

import re
from typing import Any
from urllib.parse import urlsplit

from playbooks import action, add_current_alert_comment, playbook, update_current_alert, warning_lists

# Names that are imitated most; an own list is better: copy this file and put your own domains here.
BRANDS = (
    "microsoft.com", "office.com", "microsoftonline.com", "sharepoint.com", "google.com", "gmail.com", "apple.com",
    "icloud.com", "amazon.com", "paypal.com", "docusign.com", "docusign.net", "dropbox.com", "adobe.com", "dhl.com",
    "fedex.com", "ups.com", "netflix.com", "linkedin.com", "facebook.com", "github.com", "okta.com", "zoom.us",
)  # fmt: skip
SWAPS = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "$": "s", "!": "i", "|": "l"})
RISKY_FILES = re.compile(
    r"\.(exe|scr|js|jse|vbs|vbe|wsf|hta|lnk|iso|img|vhd|bat|cmd|ps1|msi|jar|docm|xlsm|pptm|xll|one|html?|svg|zip|7z|rar)$",
    re.IGNORECASE,
)
MAIL = re.compile(r"[\w.+'-]{1,64}@[\w.-]{1,255}")
SENDER_KEYS = ("from", "sender", "mail_from", "sender_address", "header_from", "source_mail", "suser")
SUBJECT_KEYS = ("subject", "mail_subject", "email_subject", "message_subject")
DEPTH = 8


@playbook(
    trigger="webhook",
    conditions={"tags": ["phishing", "phish", "email", "mail", "suspicious-email"]},
    order=200,
    description="Extracts sender, links and attachments of a reported mail, looks for imitated domains, tags the "
    "alert and leaves a checklist for the analyst.",
)
async def phishing_triage(alert: dict[str, Any]) -> dict[str, Any]:
    """By tag; the twin below starts by technique."""
    return await triage(alert)


@playbook(
    trigger="webhook",
    conditions={"techniques": ["T1566", "T1566.001", "T1566.002", "T1566.003", "T1566.004", "T1598", "T1598.003"]},
    order=201,
    description="As phishing_triage, for alerts that name the technique but bear no tag.",
)
async def phishing_triage_by_technique(alert: dict[str, Any]) -> dict[str, Any]:
    """Only what the playbook above has not taken."""
    if {"phishing", "phish", "email", "mail", "suspicious-email"} & set(alert["tags"]):
        return {"skipped": "phishing_triage has looked at it"}
    return await triage(alert)


async def triage(alert: dict[str, Any]) -> dict[str, Any]:
    """The work of both."""
    mail = await extract_mail(alert["observables"], alert["raw"])
    imitated = await find_imitations(mail["domains"])
    verdicts = await warning_lists([("domain", name) for name in mail["domains"]]) if mail["domains"] else []
    listed = [verdict["value"] for verdict in verdicts if verdict["risk"] != "unrated"]
    risky = [name for name in mail["attachments"] if RISKY_FILES.search(name)]
    reasons = explain(imitated, listed, risky)
    tags = sorted({*alert["tags"], "phishing", *(["lookalike-domain"] if imitated else [])})
    changes: dict[str, Any] = {"tags": tags} if tags != sorted(alert["tags"]) else {}
    if reasons and alert["determination"] == "unknown":
        changes["determination"] = "suspicious"
    if changes:
        await update_current_alert(**changes, reason="; ".join(reasons))
    await add_current_alert_comment(note(mail, reasons))
    return {"sender": mail["sender"], "imitated": imitated, "listed": listed, "risky_attachments": risky}


@action(idempotent=True)
async def extract_mail(observables: list[dict[str, Any]], raw: Any) -> dict[str, Any]:
    """Sender, subject, links, attachments and all domains of the mail, from the observables and the payload."""
    of: dict[str, list[str]] = {}
    for item in observables:
        of.setdefault(item["type"], []).append(item["value"])
    sender = first_mail(find(raw, SENDER_KEYS)) or (of.get("email") or [""])[0]
    hosts = [urlsplit(url).hostname or "" for url in of.get("url", [])]
    domains = [*of.get("domain", []), *hosts, sender.rpartition("@")[2]]
    names = [name.lower() for name in domains if "." in name and not name.replace(".", "").isdigit()]
    return {
        "sender": sender,
        "subject": str(find(raw, SUBJECT_KEYS) or "")[:200],
        "links": of.get("url", [])[:50],
        "attachments": of.get("file_name", [])[:50],
        "hashes": [value for kind in ("sha256", "sha1", "md5") for value in of.get(kind, [])][:50],
        "domains": list(dict.fromkeys(names))[:100],
    }


@action(idempotent=True)
async def find_imitations(domains: list[str]) -> dict[str, str]:
    """``{domain: whom it imitates}`` for names that look like a well-known one and are not."""
    return {name: brand for name in domains if (brand := imitates(name))}


def imitates(name: str) -> str | None:
    """The brand whose name ``name`` bears or nearly bears without being the brand's own; None if none."""
    name = name.lower().strip(".")
    if any(name == brand or name.endswith("." + brand) for brand in BRANDS):
        return None
    labels = [part for label in name.split(".")[:-1] for part in label.split("-")]
    for brand in BRANDS:
        word = brand.partition(".")[0]
        if len(word) < 4:
            continue
        for label in labels:
            plain = label.translate(SWAPS).replace("rn", "m").replace("vv", "w")
            if word in (label, plain) or (len(word) > 5 and one_off(plain, word)):
                return brand
    return brand_in_punycode(name)


def brand_in_punycode(name: str) -> str | None:
    """Internationalised names are rare in honest mail; the name itself is given back."""
    return "a name in other letters" if "xn--" in name else None


def one_off(one: str, other: str) -> bool:
    """Whether one letter was added, left out or exchanged, or two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, wanted = one[start:], other[start:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (len(rest) > 1 and rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )


def find(raw: Any, keys: tuple[str, ...], depth: int = 0) -> Any:
    """The first value under one of ``keys`` anywhere in the payload; None if there is none."""
    if depth > DEPTH:
        return None
    if isinstance(raw, dict):
        for key, value in raw.items():
            if str(key).lower().rpartition(".")[2] in keys and isinstance(value, str | list) and value:
                return value
        raw = list(raw.values())
    if isinstance(raw, list):
        return next((found for item in raw[:200] if (found := find(item, keys, depth + 1))), None)
    return None


def first_mail(value: Any) -> str:
    """The first mail address in a text or a list of texts."""
    found = MAIL.search(" ".join(map(str, value)) if isinstance(value, list) else str(value or ""))
    return found[0].lower() if found else ""


def explain(imitated: dict[str, str], listed: list[str], risky: list[str]) -> list[str]:
    """Sentences for what speaks against the mail."""
    reasons = [f"{name} imitates {brand}" for name, brand in imitated.items()]
    reasons += [f"{name} is on a list" for name in listed]
    return reasons + [f"attachment {name}" for name in risky]


def safe(value: object) -> str:
    """A value that nobody opens by accident."""
    return str(value).replace("http", "hxxp").replace(".", "[.]").replace("`", "")


def counted(number: int, word: str) -> str:
    """1 link, 2 links."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def note(mail: dict[str, Any], reasons: list[str]) -> str:
    """The comment with what was found and what is left to do."""
    found = [
        f"**Mail from** `{safe(mail['sender']) or 'unknown sender'}`"
        + (f", subject “{mail['subject']}”" if mail["subject"] else ""),
        ", ".join(counted(len(mail[f"{word}s"]), word) for word in ("link", "attachment", "domain")) + ".",
        *(f"- {safe(reason)}" for reason in reasons),
    ]
    if not reasons:
        found.append("Nothing in it is known to be bad. That alone does not make it harmless.")
    return "\n".join([*found, "", "**To do**", *(f"- [ ] {task}" for task in CHECKLIST)])


CHECKLIST = (
    "Who else got this mail? Search by sender, subject and link.",
    "Did anybody open a link, run an attachment or enter a password?",
    "If so: reset the password, end the sessions, look at the mailbox rules.",
    "Remove the mail from the mailboxes and block sender and domains.",
    "Tell whoever reported it what came of it.",
)
