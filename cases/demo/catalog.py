"""What comes in on ordinary days: how often, how often it repeats, and how it usually ends. Pure data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cases.demo.payloads import elastic, others, splunk, visionone, wazuh
from cases.demo.scene import Scene

MALICIOUS, SUSPICIOUS, BENIGN = "malicious", "suspicious", "benign"
FALSE, EXPECTED = "false_positive", "benign_true_positive"
Ending = tuple[str, str, str]  # determination, findings, reason


@dataclass(frozen=True, slots=True)
class Template:
    """``weight``: how often among all; ``repeats``: fewest and most deliveries of the same alert; ``always``: at
    night as by day; ``ends``: what people wrote when they resolved it."""

    source: str
    build: Callable[[Scene], dict[str, Any]]
    weight: int = 0
    ends: tuple[Ending, ...] = ()
    repeats: tuple[int, int] = (1, 1)
    always: bool = False


TEMPLATES: dict[str, Template] = {
    "macro": Template(
        "vision-one",
        visionone.macro,
        4,
        (
            (BENIGN, FALSE, "Macro of the freight calculator, signed by us. Hash added to the agreed list."),
            (MALICIOUS, "", "Downloader blocked before it ran. Message removed from two mailboxes."),
        ),
    ),
    "dumping": Template("vision-one", visionone.dumping),
    "hacktool": Template(
        "vision-one",
        visionone.hacktool,
        9,
        (
            (BENIGN, EXPECTED, "Network scanner of the workplace team, on a test machine."),
            (MALICIOUS, "", "Cleaned by the agent, nothing else on the machine. User told why."),
            (SUSPICIOUS, "", "Downloaded by mistake with a driver package. Cleaned; kept in mind."),
        ),
    ),
    "remote_tool": Template(
        "vision-one",
        visionone.remote_tool,
        6,
        (
            (BENIGN, EXPECTED, "Vendor session of the warehouse scanners, announced in the calendar."),
            (SUSPICIOUS, "", "User let a printer vendor in. Tool removed, session closed."),
        ),
    ),
    "uac": Template(
        "vision-one",
        visionone.uac,
        4,
        (
            (BENIGN, FALSE, "Installer of the label printer does this; same on every machine of Operations."),
            (SUSPICIOUS, "", "No installer found. Machine scanned twice without result, watched for a week."),
        ),
    ),
    "beacon": Template("vision-one", visionone.beacon),
    "usb": Template(
        "vision-one",
        visionone.usb,
        2,
        ((MALICIOUS, "", "Drive of a visitor. Blocked by the agent, drive kept at the desk."),),
    ),
    "encoded": Template(
        "elastic",
        elastic.encoded,
        9,
        (
            (BENIGN, EXPECTED, "Inventory script of the workplace team, runs every Tuesday."),
            (BENIGN, FALSE, "Decoded: reads the battery state. Parent is our own agent."),
            (SUSPICIOUS, "", "Decoded to a download that failed. Machine scanned, nothing found."),
        ),
        (1, 4),
    ),
    "new_domain": Template(
        "elastic",
        elastic.new_domain,
        4,
        (
            (BENIGN, FALSE, "Landing page of the trade fair, registered by marketing last week."),
            (SUSPICIOUS, "", "Advertising network. Name blocked, no data left."),
        ),
        (2, 14),
    ),
    "lateral": Template(
        "elastic", elastic.lateral, 1, ((BENIGN, EXPECTED, "Patch run by Platform, CHG in their calendar."),)
    ),
    "travel": Template(
        "elastic",
        elastic.travel,
        8,
        (
            (BENIGN, FALSE, "On a plane with its own network, confirmed by phone."),
            (BENIGN, EXPECTED, "Traveller with the office's VPN, both log-ons are theirs."),
            (SUSPICIOUS, "", "Could not be reached. Sessions ended, password changed the next morning."),
        ),
    ),
    "matched": Template(
        "elastic",
        elastic.matched,
        9,
        (
            (BENIGN, FALSE, "Shared hosting; the listed site is another customer of it."),
            (SUSPICIOUS, "", "Single connection from an advertisement. Address blocked for a month."),
        ),
        (1, 6),
    ),
    "spraying": Template(
        "splunk",
        splunk.spraying,
        4,
        (
            (MALICIOUS, "", "No success in the log. Address blocked at the edge."),
            (SUSPICIOUS, "", "Stopped by itself. None of the accounts was opened."),
        ),
        always=True,
    ),
    "upload": Template(
        "splunk",
        splunk.upload,
        5,
        (
            (BENIGN, EXPECTED, "Press pictures for the agency, agreed with Communications."),
            (BENIGN, EXPECTED, "Hand-over to the auditors, ticket of Finance seen."),
            (SUSPICIOUS, "", "Private photos, told to use something else. Manager knows."),
        ),
    ),
    "lockouts": Template(
        "splunk",
        splunk.lockouts,
        8,
        (
            (BENIGN, FALSE, "Old password on a phone. Helped by the service desk."),
            (BENIGN, FALSE, "Scheduled task with an outdated password on the same machine."),
        ),
    ),
    "forwarding": Template(
        "splunk",
        splunk.forwarding,
        2,
        ((BENIGN, EXPECTED, "Rule to the supplier's shared mailbox, agreed with Finance."),),
    ),
    "admin_group": Template(
        "splunk",
        splunk.admin_group,
        3,
        (
            (BENIGN, EXPECTED, "Planned: change of the identity team, right time and right person."),
            (SUSPICIOUS, "", "Right person, wrong group. Taken back within the hour."),
        ),
    ),
    "ssh": Template(
        "wazuh",
        wazuh.ssh,
        14,
        (
            (MALICIOUS, "", "Noise from outside, no log-on followed. Address stays on the edge's list for a week."),
            (MALICIOUS, "", "Third round this month. Only keys are accepted there; nothing to do."),
        ),
        (12, 90),
        always=True,
    ),
    "integrity": Template(
        "wazuh",
        wazuh.integrity,
        7,
        (
            (BENIGN, EXPECTED, "Deployment of this morning, matches the commit."),
            (BENIGN, EXPECTED, "Configuration run, same change on all three machines."),
        ),
        always=True,
    ),
    "web": Template(
        "wazuh",
        wazuh.web,
        11,
        (
            (MALICIOUS, "", "Scanner. All answers 404, nothing of ours was found."),
            (BENIGN, EXPECTED, "Our own weekly scan, address of the scanner."),
        ),
        (3, 40),
        always=True,
    ),
    "shell": Template("wazuh", wazuh.shell),
    "sudo": Template("wazuh", wazuh.sudo, 5, ((BENIGN, EXPECTED, "On call, restart agreed in the channel."),)),
    "miner": Template("wazuh", wazuh.miner),
    "metric": Template(
        "alertmanager",
        others.metric,
        10,
        (
            (BENIGN, EXPECTED, "Backup window. Threshold raised for the night."),
            (BENIGN, FALSE, "Certificate was renewed already, the probe was behind."),
        ),
        always=True,
    ),
    "reported": Template(
        "mail",
        others.reported,
        14,
        (
            (BENIGN, FALSE, "Newsletter. Thanked the reporter, nothing wrong with it."),
            (BENIGN, FALSE, "Message of our own travel office, badly worded. Told them."),
            (MALICIOUS, "", "Phishing for passwords. Nobody else received it; sender blocked."),
            (SUSPICIOUS, "", "Link was dead already. Sender blocked, two copies removed."),
        ),
        (1, 5),
    ),
    "attachment": Template(
        "mail",
        others.attachment,
        9,
        (
            (MALICIOUS, "", "Downloader, held by the gateway. No copy got through."),
            (BENIGN, FALSE, "Real statement of a carrier, released to the recipient."),
        ),
        always=True,
    ),
    "delivered": Template("mail", others.delivered),
    "breach": Template(
        "partner",
        others.breach,
        2,
        ((SUSPICIOUS, "", "Old collection, all of these passwords were changed last year."),),
    ),
    "lookalike": Template(
        "partner",
        others.lookalike,
        2,
        (
            (SUSPICIOUS, "", "Parked so far. On the watch list of the partner."),
            (BENIGN, FALSE, "Belongs to a customer with a similar name."),
        ),
    ),
}

NOTES = [
    "Called {name}, no answer yet. Mail sent.",
    "{name} knows nothing of it. Looking at what else ran on {host} around that time.",
    "Nothing before or after in the log of {host}. Looks like a single event.",
    "Same picture as last week on another machine of {unit}, see the older alert.",
    "Checked against the change calendar: nothing planned for {host}.",
    "{name} confirms it by phone. Waiting for the manager to agree.",
    "Sample is with the sandbox, result in about 20 minutes.",
    "Host answers, agent is healthy, last scan **clean**.",
]
