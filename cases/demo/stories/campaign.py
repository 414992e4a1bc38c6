"""The fake invoice: phishing, macro, stolen passwords, a second and a third machine, command and control."""

from __future__ import annotations

from datetime import timedelta

from cases.demo.estate import sha256
from cases.demo.story import Story, shot, step

C2 = "203.0.113.77"
NAME = "billing-nordhavn.example.net"
CALLS = "cdn-telemetry.example.org"
INVOICE = sha256("Invoice 88213.docm")
IMPLANT = sha256("winsvc32.exe")
# What the demo puts on the own list of malicious values, so that playbooks find it.
KNOWN_BAD = [
    ("ip", C2, "Command and control of the invoice campaign"),
    ("domain", CALLS, "Command and control of the invoice campaign"),
    ("domain", NAME, "Sender of the fake invoices"),
    ("sha256", INVOICE, "Invoice 88213.docm, the downloader of the invoice campaign"),
    ("sha256", IMPLANT, "winsvc32.exe, the implant of the invoice campaign"),
]

SUMMARY = """A fake invoice from `billing-nordhavn.example.net` reached Finance today. Lene Brandt opened it on
**FIN-LT-0114**; its macro fetched an implant that read LSASS and calls `cdn-telemetry.example.org`.
With her password somebody went on to **FIN-LT-0131** and to **SRV-APP-07**.

Next: take SRV-APP-07 off the network after the payroll run, change the passwords of everybody who logged on there."""

STORIES = [
    Story(
        "invoice",
        timedelta(hours=7, minutes=20),
        (
            shot(
                0,
                "delivered",
                "mail",
                login="l.brandt",
                address=C2,
                name=NAME,
                sha256=INVOICE,
                run=True,
                sender=f"billing@{NAME}",
                recipients=12,
            ),
            shot(
                4,
                "reported",
                "report",
                login="s.moreau",
                address=C2,
                name=NAME,
                subject="Overdue invoice 88213",
                sender=f"billing@{NAME}",
                times=3,
            ),
            shot(
                31, "macro", "macro", login="l.brandt", file="Invoice 88213.docm", sha256=INVOICE, name=CALLS, run=True
            ),
            shot(52, "dumping", "lsass", login="l.brandt", address=C2, sha256=IMPLANT, run=True),
            shot(58, "beacon", "calls", login="l.brandt", address=C2, name=CALLS, sha256=IMPLANT, times=47, run=True),
            shot(118, "lateral", "second", login="l.brandt", target="SRV-APP-07", sha256=IMPLANT),
            shot(126, "encoded", "third", login="o.falk", parent="psxsvc.exe", times=3),
            shot(141, "beacon", "calls2", login="o.falk", address=C2, name=CALLS, sha256=IMPLANT, times=19, run=True),
            # Not linked yet: what the suggestions are there for.
            shot(288, "new_domain", "loose1", login="s.moreau", address=C2, name=CALLS, times=22),
            shot(301, "matched", "loose2", login="s.moreau", address=C2, feed="sector sharing group"),
            shot(322, "hacktool", "loose3", login="s.moreau", tool="HackTool.Win32.PassView", sha256=IMPLANT),
            shot(377, "lockouts", "loose4", login="s.moreau"),
        ),
        (
            step(36, "jonas", "claim", alert="macro"),
            step(
                39,
                "jonas",
                "note",
                alert="macro",
                text="Signed by nobody we know, and the name it loads from is four days"
                " old. Asking Lene whether she opened it.",
            ),
            step(
                47,
                "jonas",
                "open",
                title="Credential theft in Finance through a fake invoice",
                alerts=["mail", "report", "macro"],
                owners=["jonas"],
                lead="jonas",
                tags=["finance", "phishing"],
            ),
            step(
                55,
                "jonas",
                "comment",
                text="Lene Brandt confirms: opened at the time of the macro alert, clicked *Enable"
                " content*, saw an empty page.",
            ),
            step(57, "jonas", "set", severity="critical"),
            step(60, "jonas", "link", alerts=["lsass", "calls"]),
            step(63, "mara", "owners", add=["mara", "priya"], lead="mara"),
            step(64, "mara", "set", status="in_progress", determination="malicious"),
            step(
                71,
                "priya",
                "comment",
                key="mailbox",
                text="Message trace: 12 recipients in accounts payable, 3 opened it,"
                " 1 enabled the macro. @{jonas} can you take the message out of the 12 mailboxes?",
            ),
            step(
                83,
                "jonas",
                "comment",
                text="Removed from 11 of 12. The last one is the shared mailbox *payables*, waiting"
                " for the Exchange team.",
            ),
            step(88, "priya", "observable", type="domain", value=CALLS),
            step(89, "priya", "observable", type="sha256", value=IMPLANT),
            step(
                96,
                "mara",
                "comment",
                text="FIN-LT-0114 is off the network since 20 minutes. Lene has a spare laptop, new"
                " password set in person.",
            ),
            step(131, "priya", "link", alerts=["second", "third"]),
            step(
                134,
                "priya",
                "comment",
                text="It did not stop at one machine: service installed on SRV-APP-07 from"
                " FIN-LT-0114 **before** we isolated it, then a script on FIN-LT-0131.\n\n"
                "- SRV-APP-07: service `PSXSVC`, account of Lene\n- FIN-LT-0131: Oskar Falk was logged on",
            ),
            step(146, "mara", "link", alerts=["calls2"]),
            step(
                150,
                "mara",
                "set",
                summary=SUMMARY,
                techniques=["T1003.001", "T1021.002", "T1071.001", "T1204.002", "T1566.001"],
            ),
            step(152, "mara", "set", tlp="red", pap="green"),
            step(
                178,
                "priya",
                "edit",
                key="mailbox",
                text="Message trace: 12 recipients in accounts payable, 4 opened it (not"
                " 3), 1 enabled the macro. @{jonas} can you take the message out of the 12 mailboxes?",
            ),
            step(
                224,
                "mara",
                "handoff",
                text="To Ines for the late shift. Waiting on: Platform for a time to take SRV-APP-07"
                " off, not before the payroll run ends. Shared mailbox is with Exchange. Do **not** touch SRV-FILE-02,"
                " it is clean and restoring from it is the plan.",
            ),
            step(226, "mara", "owners", add=["ines"]),
            step(
                240,
                "ines",
                "comment",
                text="Taken over. FIN-LT-0131 is isolated as well; no more call-outs since then.",
            ),
            step(
                336,
                "ines",
                "comment",
                text="Exchange has removed the last copy. Looking at why Sylvie's laptop asks for"
                " the same name, she says she only *reported* the message.",
            ),
        ),
    ),
]
