"""Incidents that were real and are over."""

from __future__ import annotations

from datetime import timedelta

from cases.demo.story import Story, shot, step

POOL = "pool-relay.example.net"

STORIES = [
    Story(
        "webshell",
        timedelta(days=6, hours=9),
        (
            shot(0, "web", "scan", host="web-careers-01", address="192.0.2.48", times=38, path="/uploads/cv.php"),
            shot(13, "shell", "shell", host="web-careers-01", address="192.0.2.48", run=True),
            shot(29, "integrity", "cron", host="web-careers-01", path="/etc/crontab"),
        ),
        (
            step(17, "hanna", "claim", alert="shell"),
            step(
                20,
                "hanna",
                "open",
                title="Web shell on the careers site",
                alerts=["shell", "scan"],
                owners=["hanna"],
                lead="hanna",
                severity="critical",
                tags=["web"],
            ),
            step(22, "hanna", "set", status="in_progress", determination="malicious"),
            step(26, "kofi", "owners", add=["kofi"]),
            step(31, "kofi", "link", alerts=["cron"]),
            step(
                35,
                "kofi",
                "comment",
                text="Upload form takes any ending since the release of last week. File was called"
                " twice, both times `id` and `ls`. Site is behind the maintenance page now.",
            ),
            step(
                58,
                "hanna",
                "set",
                status="contained",
                reason="Site off, file kept as evidence, key of the service rotated",
            ),
            step(64, "kofi", "comment", text="The line in crontab is ours, a backup job. False trail."),
            step(420, "hanna", "comment", text="Form repaired and tested by @{kofi}, site rebuilt from the image."),
            step(
                455, "hanna", "status", status="resolved", reason="Rebuilt, form repaired, no data behind that machine"
            ),
        ),
    ),
    Story(
        "miner",
        timedelta(days=11, hours=3),
        (
            shot(
                0,
                "metric",
                "load",
                host="ci-runner-07",
                rule=("EgressSpike", "critical", "{host} sends five times as much as usual."),
            ),
            shot(18, "miner", "miner", host="ci-runner-07", address="198.51.100.190", name=POOL, run=True),
        ),
        (
            step(
                25,
                "kofi",
                "open",
                title="Coin miner on a build runner",
                alerts=["miner", "load"],
                owners=["kofi"],
                lead="kofi",
                tags=["ci"],
            ),
            step(27, "kofi", "set", status="in_progress", severity="high", determination="malicious"),
            step(
                40,
                "kofi",
                "comment",
                text="Came with a dependency of the label service: a new version of a package with"
                " nearly the right name. Pinned the right one.",
            ),
            step(44, "kofi", "observable", type="domain", value=POOL),
            step(90, "hanna", "set", status="contained", reason="Runner destroyed, tokens that it could see are new"),
            step(
                1310,
                "hanna",
                "status",
                status="resolved",
                reason="All runners rebuilt, package index mirrors with review",
            ),
            step(4400, "mara", "status", status="closed", reason="Review held, two actions with Engineering"),
        ),
    ),
    Story(
        "leaver",
        timedelta(days=4, hours=7),
        (
            shot(
                0,
                "upload",
                "first",
                login="r.castell",
                name="files-share.example.net",
                address="198.51.100.128",
                gigabytes=4.1,
                run=True,
            ),
            shot(
                1330,
                "upload",
                "second",
                login="r.castell",
                name="files-share.example.net",
                address="198.51.100.128",
                gigabytes=1.8,
            ),
        ),
        (
            step(
                44,
                "priya",
                "open",
                title="Large uploads before leaving the company",
                alerts=["first"],
                owners=["priya", "mara"],
                lead="priya",
                tags=["data-loss", "people"],
                tlp="red",
            ),
            step(46, "priya", "set", status="in_progress", severity="high"),
            step(
                51,
                "priya",
                "comment",
                text="He leaves at the end of the month. Talked to People and the works council"
                " before looking at names of files.",
            ),
            step(1344, "priya", "link", alerts=["second"]),
            step(1350, "mara", "comment", text="Names are price lists and his own photos. Legal talks to him today."),
            step(2760, "mara", "set", determination="suspicious"),
            step(
                2761,
                "mara",
                "status",
                status="resolved",
                reason="Deleted in the presence of Legal, written statement received",
            ),
        ),
    ),
]
