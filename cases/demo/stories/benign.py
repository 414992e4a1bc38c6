"""Incidents that turned out to be nothing, which is most of the work."""

from __future__ import annotations

from datetime import timedelta

from cases.demo.story import Story, shot, step

STORIES = [
    Story(
        "sudoers",
        timedelta(days=8, hours=14),
        (
            shot(0, "integrity", "file", host="edge-vpn-01", path="/etc/sudoers.d/vpn", run=True),
            shot(3, "sudo", "sudo", host="edge-vpn-01", account="a.petrov"),
        ),
        (
            step(
                16,
                "hanna",
                "open",
                title="sudoers changed on the VPN server outside the change window",
                alerts=["file", "sudo"],
                owners=["hanna"],
                lead="hanna",
                severity="high",
                tags=["edge"],
            ),
            step(18, "hanna", "set", status="in_progress"),
            step(
                25,
                "hanna",
                "comment",
                text="@{kofi} was this you? Anton's account, late in the evening, no ticket.",
            ),
            step(
                47,
                "kofi",
                "comment",
                text="Anton was on call and fixed the broken include from the afternoon. Ticket was"
                " written after it, which is what the rule says for outages.",
            ),
            step(55, "hanna", "set", determination="benign", findings="benign_true_positive"),
            step(56, "hanna", "status", status="closed", reason="Emergency change, written up afterwards as agreed"),
        ),
    ),
    Story(
        "certificate",
        timedelta(days=9, hours=8),
        (
            shot(
                0,
                "metric",
                "cert",
                host="web-track-03",
                rule=("CertificateExpiresSoon", "warning", "The certificate of {host} ends in less than 7 days."),
            ),
            shot(
                210,
                "metric",
                "auth",
                host="web-track-03",
                rule=("AuthFailureRateHigh", "warning", "Failed log-ons at {host} are ten times the usual."),
            ),
            shot(214, "web", "scan", host="web-track-03", address="198.51.100.7", times=33),
        ),
        (
            step(
                219,
                "kofi",
                "open",
                title="Log-on failures at the tracking site",
                alerts=["auth", "scan"],
                owners=["kofi"],
                lead="kofi",
                severity="medium",
                tags=["web"],
            ),
            step(224, "kofi", "set", status="in_progress"),
            step(
                240,
                "kofi",
                "comment",
                text="Not an attack: the new certificate went out without its chain, the apps of"
                " the drivers try again every second. The scan is a coincidence, it comes every week.",
            ),
            step(243, "kofi", "link", alerts=["cert"]),
            step(262, "hanna", "comment", text="Chain added. Rate is back to normal after four minutes."),
            step(270, "kofi", "set", determination="benign", findings="false_positive"),
            step(271, "kofi", "status", status="closed", reason="Missing chain of a certificate"),
        ),
    ),
    Story(
        "test",
        timedelta(days=12, hours=6),
        (
            shot(0, "dumping", "lsass", login="j.vries", address="192.0.2.15", run=True),
            shot(6, "lateral", "service", login="j.vries", target="SRV-FILE-02", target_ip="10.30.7.2"),
            shot(21, "admin_group", "group", login="j.vries", group="Domain Admins", by="j.vries"),
        ),
        (
            step(5, "mara", "claim", alert="lsass"),
            step(
                8,
                "mara",
                "open",
                title="Passwords read on a laptop of Engineering",
                alerts=["lsass", "service"],
                owners=["mara", "ines"],
                lead="mara",
                tags=["engineering"],
            ),
            step(9, "mara", "set", status="in_progress", severity="critical"),
            step(24, "ines", "link", alerts=["group"]),
            step(26, "ines", "comment", text="Domain Admins now. Waking up @{hanna}."),
            step(
                34,
                "mara",
                "comment",
                text="The tester's letter is in the safe, as agreed: it *is* the yearly test, from"
                " exactly this laptop. 29 minutes from the first alert to the question. Good.",
            ),
            step(
                40,
                "mara",
                "set",
                determination="benign",
                findings="benign_true_positive",
                tags=["engineering", "drill"],
            ),
            step(
                41, "mara", "status", status="closed", reason="Yearly penetration test; told nobody but the two of us"
            ),
        ),
    ),
]
