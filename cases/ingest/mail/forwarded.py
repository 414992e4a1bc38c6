"""A message forwarded inline: what the reporter wrote, and the original with the few headers that are left of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from cases.ingest.text import words

MOST_LINES = 5_000
LONGEST_LINE = 1_000
MOST_HEAD_LINES = 24
# Names of the header lines that mail programs write, in the languages that they are used in.
NAMES: dict[str, str] = {
    name: field
    for field, names in {
        "from": "from von de da van från fra od lähettäjä gönderen от 差出人 发件人 寄件者 보낸사람",
        "date": "date sent datum gesendet fecha enviado envoyé data inviato enviada enviado verzonden skickat dato"
        " sendt wysłano data lähetetty tarih дата отправлено 日付 送信日時 发送时间 보낸날짜",
        "to": "to an para à a aan till til do vastaanottaja kime кому 宛先 收件人 받는사람",
        "cc": "cc kopie copia kopia копия",
        "subject": "subject betreff asunto objet oggetto assunto onderwerp ämne emne temat aihe konu тема 件名"
        " 主题 제목",
        "reply_to": "reply-to",
    }.items()
    for name in words(names)
}
LINE = re.compile(r"\**\s{0,3}([^\W\d_][\w\s-]{0,18}?)\s{0,3}\**\s{0,3}[:：]\s{0,3}\**\s{0,3}(.*)")
QUOTED = re.compile(r"^[\s>|]{0,40}")
FORWARD = re.compile(
    r"(?i)^[\s\-_=*>]{0,40}(?:begin forwarded message|forwarded message|weitergeleitete nachricht|forwarded by|"
    r"message transféré|mensaje reenviado|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|"
    r"vidarebefordrat meddelande|videresendt (?:melding|meddelelse))\b"
)
ORIGINAL = re.compile(
    r"(?i)^[\s\-_=*>]{0,40}(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|"
    r"messaggio originale|mensagem original|oorspronkelijk bericht)\b"
)
PREFIX = re.compile(r"(?i)^\s{0,5}(?:fwd?|wg|tr|rv|i|enc|doorst|vs|vb|vl|pd|转发|轉寄)\s{0,3}[:：]")
ANSWER = re.compile(r"(?i)^\s{0,5}(?:re|aw|antw|sv|odp|回复)\s{0,3}[:：]")


class Inline(NamedTuple):
    """``fields``: from, to, date, subject ... as they stand there; ``note``: the reporter's own words; ``at``: where
    in the text the original begins."""

    fields: dict[str, str]
    note: str
    text: str
    at: int


def find(text: str, subject: str) -> Inline | None:
    """The original within the text of a message with that subject; None for one that forwards nothing."""
    lines = _lines(text)
    forwards = bool(PREFIX.match(subject))
    for number, (_, line) in enumerate(lines):
        marked = FORWARD.match(line) or (ORIGINAL.match(line) and not ANSWER.match(subject))
        if not marked and not (forwards and _field(line)[0] in ("from", "subject", "date")):
            continue
        head = _head(lines, number + 1 if marked else number)
        if head is not None:
            fields, behind = head
            note = "\n".join(one for _, one in lines[:number]).strip(" \n\t-_")
            rest = [QUOTED.sub("", one) for _, one in lines[behind:]]
            return Inline(fields, note, "\n".join(rest).strip(), lines[number][0])
    return None


def subject_of(text: str) -> str:
    """A subject without the marks of having been forwarded."""
    for _ in range(5):
        text = PREFIX.sub("", text, count=1).strip()
    return text


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines with where each begins."""
    found, at = [], 0
    for line in text.split("\n")[:MOST_LINES]:
        found.append((at, line.replace("\xa0", " ").rstrip()[:LONGEST_LINE]))
        at += len(line) + 1
    return found


def _field(line: str) -> tuple[str, str]:
    """(name, value) of a line that is one of the headers, else two empty texts."""
    match = LINE.match(QUOTED.sub("", line))
    name = NAMES.get(" ".join(match[1].lower().split()), "") if match else ""
    return (name, match[2].strip(" *")) if name and match else ("", "")


def _head(lines: list[tuple[int, str]], start: int) -> tuple[dict[str, str], int] | None:
    """The headers that begin at or soon after ``start`` and the number of the line behind them, None if these are
    no headers: at least a sender and two others."""
    fields: dict[str, str] = {}
    last, blanks, at = "", 0, start
    for at in range(start, min(start + MOST_HEAD_LINES, len(lines))):
        line = QUOTED.sub("", lines[at][1]).strip()
        name, value = _field(line)
        if name:
            fields.setdefault(name, value)
            last, blanks = name, 0
        elif not line:
            blanks += 1
            if (len(fields) >= 3 and "subject" in fields and fields[last]) or blanks > 2:
                break
        elif last and (not fields[last] or last in ("to", "cc")) and not blanks:
            fields[last] = f"{fields[last]} {line}".strip()  # a long list, or a value on a line of its own
        elif fields:
            break
    else:
        at += 1
    return (fields, at) if fields.get("from") and len(fields) >= 3 else None
