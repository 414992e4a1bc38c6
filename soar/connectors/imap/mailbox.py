"""Reading a folder by the numbers of its messages (UIDs), which only ever grow as long as its UIDVALIDITY stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from soar.lib.answers import RemoteError
from soar.lib.imap import LONGEST_LITERAL, Session, quoted

LEAVE, SEEN, MOVE = "leave", "seen", "move"
WINDOW = 2_000  # numbers that are asked about at once
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UID = re.compile(rb"\bUID (\d{1,10})\b")
SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder. ``top``: no message that is there now has this number or a higher one; None: not told."""

    validity: int
    top: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """``raw``: all of it, or its beginning where ``size`` says that it is longer than is taken."""

    uid: int
    raw: bytes
    size: int


def opened(session: Session, folder: str, *, readonly: bool) -> Folder:
    """Open it. Raises RemoteError for one that is not there, or that promises nothing about its numbers."""
    told = session.select(folder, readonly=readonly)
    if not told["uidvalidity"]:
        text = f"{session.box.host} tells no UIDVALIDITY of {folder!r}, without which nothing can be read just once"
        raise RemoteError(text, permanent=True)
    return Folder(told["uidvalidity"], told["uidnext"])


def numbers(session: Session, folder: Folder, after: int, since: datetime | None) -> Iterator[tuple[int, list[int]]]:
    """The numbers above ``after``, some at a time, each with how far it was looked. ``since``: not what came earlier;
    the server knows days only, so a day more is asked for.

    Without messages a window grows, so that gaps of millions of numbers cost nothing."""
    begin, window = after + 1, WINDOW
    if folder.top is None:
        found = _search(session, begin, "*", since)
        yield max([after, *found]), found
        return
    while begin < folder.top:
        end = min(begin + window - 1, folder.top - 1)
        found = [uid for uid in _search(session, begin, str(end), since) if uid <= end]
        yield end, found
        begin, window = end + 1, WINDOW if found else window * 4


def _search(session: Session, begin: int, end: str, since: datetime | None) -> list[int]:
    given = ["UID", f"{begin}:{end}"]
    if since is not None:
        day = since.astimezone(UTC) - DAY
        given += ["SINCE", f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"]
    words = [word for line in session.uid("SEARCH", *given) if isinstance(line, bytes) for word in line.split()]
    # "7:*" finds the last message even where that is number 5.
    return sorted({int(word) for word in words if word.isdigit() and int(word) >= begin})


def facts(session: Session, uids: list[int]) -> dict[int, tuple[int, datetime | None]]:
    """Size and time of arrival of those that are still there."""
    found = {}
    for line in session.uid("FETCH", _set(uids), "(UID RFC822.SIZE INTERNALDATE)"):
        text = line[0] if isinstance(line, tuple) else line
        if isinstance(text, bytes) and (number := UID.search(text)) and (size := SIZE.search(text)):
            found[int(number[1])] = (int(size[1]), _moment(DATE.search(text)))
    return {uid: found[uid] for uid in uids if uid in found}


def message(session: Session, uid: int, size: int) -> Message | None:
    """A message as it is, its flags left alone. None for one that somebody has deleted in the meantime."""
    answer = session.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{LONGEST_LITERAL}>)")
    for number, line in enumerate(answer):
        if isinstance(line, tuple) and b"BODY[" in line[0].upper():
            told = UID.search(line[0]) or UID.search(_behind(answer, number))
            if told is None or int(told[1]) == uid:
                return Message(uid, line[1], size)
        elif isinstance(line, bytes) and re.search(rb'BODY\[\](?:<0>)? (?:NIL|"")', line):
            return Message(uid, b"", size)
    return None


def finish(session: Session, uids: list[int], what: str, target: str) -> None:
    """Mark as read, or move, those of these messages that are still there. Doing it again changes nothing."""
    uids = _still_there(session, uids) if uids and what != LEAVE else []
    if not uids:
        return
    if what == SEEN:
        session.uid("STORE", _set(uids), "+FLAGS.SILENT", "(\\Seen)")
    elif session.can("MOVE"):
        session.uid("MOVE", _set(uids), quoted(target))
    else:
        session.uid("COPY", _set(uids), quoted(target))
        session.uid("STORE", _set(uids), "+FLAGS.SILENT", "(\\Seen \\Deleted)")
        if session.can("UIDPLUS"):  # a plain EXPUNGE would also take what somebody else has marked
            session.uid("EXPUNGE", _set(uids))


def _still_there(session: Session, uids: list[int]) -> list[int]:
    words = [word for line in session.uid("SEARCH", "UID", _set(uids), "UNDELETED")
             if isinstance(line, bytes) for word in line.split()]  # fmt: skip
    there = {int(word) for word in words if word.isdigit()}
    return [uid for uid in uids if uid in there]


def _behind(answer: list[Any], number: int) -> bytes:
    line = answer[number + 1] if number + 1 < len(answer) else b""
    return line if isinstance(line, bytes) else b""


def _set(uids: list[int]) -> str:
    return ",".join(map(str, uids))


def _moment(match: re.Match[bytes] | None) -> datetime | None:
    try:
        return parsedate_to_datetime(match[1].decode("ascii").strip().replace("-", " ", 2)) if match else None
    except (ValueError, TypeError, OverflowError):
        return None
