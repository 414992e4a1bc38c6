"""The files of the demo's incidents, and who fetched them. Their times are counted from the moment of the upload."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from cases.demo.story import Step, step

FILES = Path(__file__).parent / "files"
_TIME = re.compile(r"\{(-?\d+) (iso|mail|stamp)\}")

EVIDENCE: dict[str, tuple[Step, ...]] = {
    "invoice": (
        step(
            52,
            "jonas",
            "evidence",
            file="invoice.eml",
            name="Overdue invoice 88213.eml",
            description="From the shared mailbox payables, exported with its headers. The attachment is in quarantine.",
        ),
        step(
            74,
            "priya",
            "evidence",
            file="message-trace.csv",
            name="Message trace 88213.csv",
            description="All recipients, from the mail gateway.",
        ),
        step(
            95,
            "mara",
            "evidence",
            file="processes.csv",
            name="FIN-LT-0114 processes.csv",
            description="Process tree of the laptop before it was isolated. Names of colleagues: keep it inside.",
            tlp="red",
        ),
        step(121, "priya", "fetch", name="FIN-LT-0114 processes.csv", how="downloaded"),
        step(229, "ines", "fetch", name="Overdue invoice 88213.eml", how="downloaded_zip"),
    ),
    "spraying": (
        step(
            82,
            "ines",
            "evidence",
            file="sign-ins.json",
            name="r.castell sign-ins.json",
            description="Sign-in and mailbox log of the nine minutes.",
        ),
    ),
    "remote": (
        step(
            38,
            "jonas",
            "evidence",
            file="proxy.log",
            name="proxy k.nowak.log",
            description="Both connections go to the same address.",
        ),
    ),
    "webshell": (
        step(
            52,
            "kofi",
            "evidence",
            file="access.log",
            name="web-careers-01 access.log",
            description="Every request of 192.0.2.48, from the load balancer.",
            tlp="green",
        ),
    ),
}


def content(file: str, now: datetime) -> bytes:
    """The file with ``{-5 iso}``, ``{-5 mail}`` and ``{-5 stamp}`` as times, minutes from ``now``."""

    def moment(found: re.Match[str]) -> str:
        at = now + timedelta(minutes=int(found[1]))
        if found[2] == "mail":
            return format_datetime(at)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ" if found[2] == "iso" else "%Y%m%d%H%M%S")

    return _TIME.sub(moment, (FILES / file).read_text(encoding="utf-8")).encode()
