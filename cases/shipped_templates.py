"""The templates that an installation begins with: six kinds of incident and the checklist of each.

A migration stores them once; from then on they belong to the admins, who change or delete them."""

from __future__ import annotations

from typing import Any

HOUR, DAY = 60, 24 * 60


def _task(due: int | None, title: str, description: str, *, required: bool = False) -> dict[str, Any]:
    """``due`` is minutes from the moment the template is used."""
    return {"title": title, "description": description, "required": required, "due_minutes": due}


def _must(due: int | None, title: str, description: str) -> dict[str, Any]:
    return _task(due, title, description, required=True)


def _template(
    name: str, kind: str, severity: str, tags: list[str], description: str, tasks: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "severity": severity, "tags": tags, "description": description, "tasks": tasks,
    }  # fmt: skip


_PHISHING = _template(
    "Phishing", "phishing", "medium", ["phishing"],
    "A message that asks for a password, a payment or a click, reported or detected.",
    [
        _must(30, "Get the message with its headers",
              "The original as a file, not forwarded. Note sender, reply-to, sending server and the result of SPF, "
              "DKIM and DMARC."),
        _must(60, "Find everybody who got it",
              "Trace by sender, subject, link and attachment hash; look at shared mailboxes and distribution lists."),
        _must(60, "Find out who clicked, opened or answered",
              "Proxy and DNS logs for the link, endpoint telemetry for the attachment. Ask the people, without blame."),
        _must(2 * HOUR, "Remove the message from all mailboxes", "Include deleted items and forwarding rules."),
        _task(2 * HOUR, "Block sender, link and attachment",
              "Mail gateway, proxy, block list. Not the whole domain of a partner whose account was taken over."),
        _must(4 * HOUR, "Change passwords and end sessions of those who entered theirs",
              "Look for new inbox rules, new devices and consent to applications too."),
        _task(DAY, "Tell the people concerned", "What it was, what was done, what they should do."),
        _task(2 * DAY, "Report the site and the sender", "Hosting provider, registrar, the brand that was imitated."),
    ],
)  # fmt: skip
_MALWARE = _template(
    "Malware on a host", "malware", "high", ["malware"],
    "Malicious code that ran, or was about to run, on an endpoint or server.",
    [
        _must(15, "Find out whether it ran or was blocked",
              "Process tree, parent, user, first and last time seen. Blocked by whom, at what stage?"),
        _must(30, "Isolate the host, if it ran",
              "Tell its user and owner first if it is a server; isolation keeps memory, power-off does not."),
        _task(HOUR, "Collect memory and volatile data",
              "Before any clean-up: memory image, network connections, logons."),
        _must(2 * HOUR, "Look for the same on other hosts",
              "Hashes, file names, persistence, command lines and addresses, over all endpoints and 30 days of logs."),
        _must(2 * HOUR, "Block hashes, addresses and domains",
              "With a reason and an end, so that they can be reviewed."),
        _must(4 * HOUR, "Find the way in", "Mail, web, removable media, exploited service, stolen account."),
        _task(DAY, "Change the passwords that were used on the host",
              "Users, service accounts, cached administrators."),
        _must(2 * DAY, "Reinstall or clean, and check before release",
              "Prefer a new installation. Released only after a scan and 24 hours without a new finding."),
    ],
)  # fmt: skip
_ACCOUNT = _template(
    "Account takeover", "account_takeover", "high", ["account-takeover", "identity"],
    "Somebody else uses a person's or service's account.",
    [
        _must(15, "Confirm with the user, by telephone",
              "Was it you, from there, at that time? Not by mail or chat: the account may be read."),
        _must(30, "Disable the account or reset its password", "And end all sessions and refresh tokens."),
        _must(HOUR, "Review second factors and devices", "Remove those added since the first suspicious sign-in."),
        _must(2 * HOUR, "Review inbox rules, forwarding and delegates", "Keep a copy before removing them."),
        _must(2 * HOUR, "Review consented applications and API keys", "Revoke what the user does not know."),
        _must(4 * HOUR, "List what was read, sent or changed",
              "Mail, files, administration, VPN and cloud, from the first suspicious sign-in on."),
        _task(4 * HOUR, "Look for other accounts with the same source",
              "Address, user agent, password spray before it."),
        _task(DAY, "Give the account back", "New password, phishing-resistant second factor, a talk with the user."),
    ],
)  # fmt: skip
_DATA_LOSS = _template(
    "Data loss", "data_loss", "high", ["data-loss"],
    "Confidential or personal data left the organisation, or may have.",
    [
        _must(HOUR, "Stop the flow", "Close the share, block the destination, revoke the link, hold the mail."),
        _must(2 * HOUR, "Keep the evidence", "Proxy, mail, cloud and endpoint logs, before they roll over."),
        _must(4 * HOUR, "Say what data it is and how much",
              "Kind, classification, number of records and of persons, encrypted or not."),
        _must(4 * HOUR, "Tell data protection and legal",
              "With personal data the law may give 72 hours to notify, counted from when it became known."),
        _must(8 * HOUR, "Find out who did it, and whether it was meant", "Insider, mistake, stolen account, supplier."),
        _task(DAY, "Ask the recipient to delete, in writing", "Only after legal agreed to the words."),
        _must(2 * DAY, "Decide on notifications",
              "Authority, persons concerned, customers, insurer. Note who decided."),
        _task(7 * DAY, "Close the way out for good", "Policy, permission, DLP rule, training."),
    ],
)  # fmt: skip
_RANSOMWARE = _template(
    "Ransomware", "ransomware", "critical", ["ransomware"],
    "Files are being encrypted, a ransom note was found, or the tools for it were.",
    [
        _must(10, "Call the crisis team", "By telephone. Agree on a channel that does not run on the network."),
        _must(15, "Isolate what encrypts and what is encrypted", "Hosts, shares, hypervisors. Do not power off."),
        _must(30, "Protect the backups", "Disconnect them, check that they are whole, change their credentials."),
        _must(HOUR, "Disable the accounts in use", "Domain administrators first; then service accounts and VPN."),
        _must(2 * HOUR, "Identify the family and keep the note",
              "Extension, note, a sample of an encrypted file. Look for a known decryptor."),
        _must(4 * HOUR, "Find the first host and the way in",
              "And how long they were there: it decides which backup is clean."),
        _must(4 * HOUR, "Find out whether data was taken", "Large outbound transfers in the weeks before, leak sites."),
        _must(DAY, "Tell legal, the insurer and the authorities", "No contact with the attackers without legal."),
        _task(DAY, "Agree on the order of recovery", "Identity first, then what the business needs first."),
        _must(3 * DAY, "Restore from a clean state",
              "New credentials, patched way in, monitoring in place before anything is connected again."),
        _task(14 * DAY, "Hold the review", "What would have stopped it earlier; who does what by when."),
    ],
)  # fmt: skip
_DENIAL = _template(
    "Denial of service", "denial_of_service", "high", ["availability"],
    "A service is slow or unreachable because somebody floods it.",
    [
        _must(10, "Confirm that it is an attack",
              "Not a release, a campaign or a broken client. Compare with usual load."),
        _must(15, "Name what is hit", "Service, addresses, layer, volume in bit/s and requests/s, since when."),
        _must(30, "Switch on the mitigation", "Provider's scrubbing, CDN under-attack mode, rate limits, geography."),
        _task(30, "Call the provider", "Ticket number and the engineer's name belong into a note."),
        _task(HOUR, "Tell operations and the service desk", "And the status page, if customers notice."),
        _must(HOUR, "Look for something else behind it",
              "Floods cover intrusions: sign-ins, new accounts, data leaving."),
        _task(2 * HOUR, "Keep a sample of the traffic", "A short capture and flow data, for filters and for a report."),
        _must(DAY, "Undo the emergency rules", "Each of them, once it has been quiet for some hours."),
    ],
)  # fmt: skip

TEMPLATES: tuple[dict[str, Any], ...] = (_PHISHING, _MALWARE, _ACCOUNT, _DATA_LOSS, _RANSOMWARE, _DENIAL)
