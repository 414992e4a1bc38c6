"""Incidents that are worked on: open, in progress, contained, reopened."""

from __future__ import annotations

from datetime import timedelta

from cases.demo.story import Story, shot, step

SPRAYER = "198.51.100.66"
LOOKALIKE = "nordhavn-pay.example.org"
LEAKED = "post-box.example.org"

STORIES = [
    Story(
        "spraying",
        timedelta(hours=31),
        (
            shot(0, "spraying", "first", login="t.aalto", address=SPRAYER, users=38, run=True),
            shot(42, "spraying", "again", login="r.castell", address=SPRAYER, users=41),
            shot(65, "travel", "success", login="r.castell", address=SPRAYER, city="Singapore", run=True),
            shot(1480, "ssh", "loose1", host="edge-bastion-02", address=SPRAYER, times=61),
            shot(1610, "web", "loose2", host="web-track-03", address=SPRAYER, times=18),
            shot(1702, "ssh", "loose3", host="edge-vpn-01", address=SPRAYER, times=25),
        ),
        (
            step(12, "ines", "claim", alert="first"),
            step(
                50,
                "ines",
                "open",
                title="Password spraying against the VPN",
                alerts=["first", "again"],
                owners=["ines"],
                lead="ines",
                tags=["vpn", "identity"],
            ),
            step(70, "ines", "link", alerts=["success"]),
            step(74, "ines", "set", severity="high", status="in_progress", determination="malicious"),
            step(
                78,
                "ines",
                "comment",
                text="One hit: r.castell, log-on from the same address as the spraying. He is in the"
                " office and his phone asked him to confirm; he says he pressed *yes* by habit.",
            ),
            step(
                85, "priya", "comment", text="Sessions ended, password changed, number matching switched on for Sales."
            ),
            step(91, "priya", "owners", add=["priya"]),
            step(110, "ines", "observable", type="ip", value=SPRAYER),
            step(
                126,
                "priya",
                "set",
                status="contained",
                reason="Account closed to the attacker, address blocked at the edge",
            ),
            step(
                840,
                "ines",
                "comment",
                text="Quiet for 12 hours. Reading what the session did in the 9 minutes it lived:"
                " mailbox opened, two folders listed, nothing sent.",
            ),
        ),
    ),
    Story(
        "remote",
        timedelta(hours=3, minutes=40),
        (
            shot(0, "remote_tool", "tool", login="k.nowak", tool="QuickHelp.exe", address="192.0.2.186", run=True),
            shot(
                24,
                "upload",
                "upload",
                login="k.nowak",
                name="files-share.example.net",
                address="192.0.2.186",
                gigabytes=2.6,
                run=True,
            ),
        ),
        (
            step(
                34,
                "jonas",
                "open",
                title="Remote control tool and a large upload on a laptop of People",
                alerts=["tool", "upload"],
                owners=[],
                tags=["people"],
            ),
            step(
                36,
                "jonas",
                "comment",
                text="Tool started first, upload 20 minutes later, same address behind both. Kasia"
                " is in an interview until the full hour. Nobody has this yet: @{priya}, can you?",
            ),
        ),
    ),
    Story(
        "dump",
        timedelta(days=2, hours=5),
        (
            shot(0, "breach", "dump", login="d.okoro", count=12, collection="Kelp-9"),
            shot(310, "travel", "travel", login="d.okoro", address="192.0.2.130", city="Denver"),
            shot(355, "lockouts", "locked", login="d.okoro"),
        ),
        (
            step(
                95,
                "priya",
                "open",
                title="Passwords of twelve colleagues in a public dump",
                alerts=["dump"],
                owners=["priya"],
                lead="priya",
                team="EU SOC",
                tags=["identity", "credential-leak"],
            ),
            step(99, "priya", "set", status="in_progress", severity="medium"),
            step(
                120,
                "priya",
                "comment",
                text="7 of the 12 still work here. 5 of them changed the password after the date"
                " of the dump, 2 did not: d.okoro and m.tanaka.",
            ),
            step(
                330,
                "tomas",
                "comment",
                text="Log-on of d.okoro from Denver with a **wrong** password: somebody tries the"
                " list. Password changed with her on the phone.",
            ),
            step(361, "tomas", "link", alerts=["travel", "locked"]),
            step(363, "tomas", "owners", add=["tomas"]),
            step(1500, "priya", "comment", text="m.tanaka is back on Thursday, account disabled until then."),
        ),
    ),
    Story(
        "usb",
        timedelta(days=3, hours=6),
        (
            shot(0, "usb", "one", login="e.sundby", times=2, run=True),
            shot(37, "usb", "two", login="m.tanaka", times=3),
            shot(44, "hacktool", "wrong", login="b.hartley", tool="PUA.Win32.KeyFinder"),
        ),
        (
            step(15, "jonas", "claim", alert="one"),
            step(
                18,
                "jonas",
                "note",
                alert="one",
                text="Drive belongs to the forklift service. They use it to copy maps to the terminals.",
            ),
            step(
                41,
                "jonas",
                "open",
                title="Worm on the drives of the forklift service",
                alerts=["one", "two"],
                owners=["jonas", "mara"],
                lead="jonas",
                tags=["operations"],
            ),
            step(46, "jonas", "link", alerts=["wrong"]),
            step(
                52,
                "mara",
                "comment",
                text="The alert of Bethan's laptop has nothing to do with it, she was never in the"
                " warehouse. Taking it out again.",
            ),
            step(53, "mara", "unlink", alerts=["wrong"]),
            step(60, "jonas", "set", status="in_progress", determination="malicious"),
            step(230, "jonas", "set", status="contained", reason="Removable drives switched off for Operations"),
            step(
                241,
                "jonas",
                "comment",
                text="The service company has its drives back, cleaned. They get a share instead.",
            ),
            step(
                2890,
                "mara",
                "handoff",
                text="Jonas is away until Monday. Left: switch the drives on again for the two"
                " terminals that need them, after Operations has the new procedure.",
            ),
            step(2892, "mara", "owners", lead="mara"),
        ),
    ),
    Story(
        "rule",
        timedelta(days=5, hours=4),
        (
            shot(0, "forwarding", "rule", login="o.falk", address="203.0.113.144", rule=".", run=True),
            shot(5560, "forwarding", "again", login="h.lund", address="203.0.113.144", rule="..", run=True),
        ),
        (
            step(22, "ines", "claim", alert="rule"),
            step(
                31,
                "ines",
                "open",
                title="Mailbox rules send invoices outside",
                alerts=["rule"],
                owners=["ines"],
                lead="ines",
                tags=["finance", "email"],
            ),
            step(35, "ines", "set", status="in_progress", severity="high"),
            step(
                60,
                "ines",
                "comment",
                text="Rule removed, sessions ended, password changed. It moved everything with"
                " *invoice* in the subject for two days, 31 messages.",
            ),
            step(190, "ines", "observable", type="email", value=f"archive.o.falk@{LEAKED}"),
            step(600, "priya", "set", determination="malicious"),
            step(
                601,
                "priya",
                "status",
                status="resolved",
                reason="Account recovered, suppliers told which mails were read",
            ),
            step(
                5572,
                "jonas",
                "status",
                status="in_progress",
                reason="The same address made a rule in the mailbox of Helle Lund: we have not found how they get in",
            ),
            step(5574, "jonas", "link", alerts=["again"]),
            step(5580, "jonas", "owners", add=["jonas"], lead="jonas"),
            step(
                5601,
                "jonas",
                "comment",
                text="Both mailboxes gave consent to an app called *Mail Archive Sync* in spring."
                " @{ines} that is the door, not the passwords.",
            ),
            step(5630, "ines", "comment", text="Consent taken back for the whole tenant, 4 people had given it."),
        ),
    ),
    Story(
        "lookalike",
        timedelta(hours=22),
        (
            shot(0, "lookalike", "name", name=LOOKALIKE, address="203.0.113.201"),
            shot(
                240,
                "reported",
                "mail",
                login="b.hartley",
                name=LOOKALIKE,
                address="203.0.113.201",
                subject="New bank details",
                sender=f"accounts@{LOOKALIKE}",
                times=2,
                run=True,
            ),
            shot(
                1105,
                "reported",
                "loose1",
                login="t.aalto",
                name=LOOKALIKE,
                address="203.0.113.201",
                subject="Changed bank details",
                sender=f"accounts@{LOOKALIKE}",
            ),
            shot(
                1160,
                "attachment",
                "loose2",
                login="r.castell",
                name=LOOKALIKE,
                address="203.0.113.201",
                file="Bank letter.html",
                sender=f"accounts@{LOOKALIKE}",
            ),
        ),
        (
            step(
                255,
                "ines",
                "open",
                title="Lookalike domain asks customers for payments",
                alerts=["name", "mail"],
                owners=["ines"],
                lead="ines",
                tags=["brand", "phishing"],
                team="EU SOC",
            ),
            step(
                262,
                "ines",
                "comment",
                text="Page copies our log-in. Partner has been asked to have it taken down, they"
                " say one to three days.",
            ),
            step(270, "ines", "set", severity="high"),
        ),
    ),
    Story(  # the same as the spraying: found by another shift, and merged into it
        "double",
        timedelta(hours=15),
        (shot(0, "ssh", "again", host="edge-bastion-02", address=SPRAYER, times=44),),
        (
            step(
                22,
                "kofi",
                "open",
                title="Log-on failures at the bastion from one address",
                alerts=["again"],
                owners=["kofi"],
                lead="kofi",
            ),
            step(27, "kofi", "comment", text="Never seen this address. @{mara}, do you know it?"),
        ),
    ),
]
