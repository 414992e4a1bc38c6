"""A message as plain text and as a page of its own: the two halves of a mail, and the report as a file."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from soar.connectors.messages import Message, Row, Section
from soar.lib.parts import label

# Mail programs know no style sheets, so each element says how it looks. The file must read well without ours, too.
BODY = "margin:0;padding:24px;background:#f4f5f7;color:#1d2430;font:14px/1.5 system-ui,Segoe UI,Arial,sans-serif"
CARD = "max-width:720px;margin:0 auto;padding:24px;background:#fff;border:1px solid #dfe3e8;border-radius:6px"
HEADING = "margin:24px 0 8px;font-size:15px;line-height:1.3"
TABLE = "width:100%;border-collapse:collapse"
CELL = "padding:6px 8px 6px 0;border-top:1px solid #e8ebef;text-align:left;vertical-align:top"
FAINT = "color:#5a6472"
MANAGE = "Choose what is sent to you"
BUTTON = "display:inline-block;margin:16px 0;padding:8px 14px;background:#1f5fbf;color:#fff;border-radius:4px"


def as_text(message: Message) -> str:
    """The message in plain text, lines separated by \\n."""
    parts = [message.title, "=" * min(40, len(message.title))]
    parts += [message.text, ""] if message.text else [""]
    parts += [f"{name}: {value}" for name, value in _facts(message)]
    for section in message.sections:
        parts += ["", section.title, "-" * min(40, len(section.title)), *(_line(row) for row in section.lines)]
    if message.link:
        parts += ["", f"{message.link_label}: {message.link}"]
    if message.manage:
        parts += ["", "-- ", f"{MANAGE}: {message.manage}"]
    return "\n".join(parts).strip() + "\n"


def as_html(message: Message) -> str:
    """The message as an HTML document without scripts and without anything to be loaded; all values are escaped."""
    return str(
        format_html(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{}</title></head><body style="{}">'
            '<div style="{}"><h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">{}</h1>{}{}{}{}{}</div>'
            "</body></html>",
            message.title,
            BODY,
            CARD,
            message.title,
            _paragraphs(message.text),
            _table([(name, value, "") for name, value in _facts(message)]),
            format_html_join("", "{}", ((_html_section(part),) for part in message.sections)),
            _button(message),
            _manage(message),
        )
    )


def words(row: Row) -> str:
    """What stands behind the text of a row: its state in words, its detail."""
    return " · ".join(part for part in (label(row.state) if row.state else "", row.detail) if part)


def _facts(message: Message) -> list[tuple[str, str]]:
    marks = [("Severity", label(message.severity))] if message.severity else []
    return [*marks, *message.facts, ("TLP", message.tlp.upper())]


def _line(row: Row) -> str:
    said = words(row)
    return f"* {row.text}" + (f" ({said})" if said else "")


def _html_section(section: Section) -> SafeString:
    rows = [(row.text, label(row.state) if row.state else "", row.detail) for row in section.lines]
    return format_html('<h2 style="{}">{}</h2>{}', HEADING, section.title, _table(rows))


def _table(rows: list[tuple[str, str, str]]) -> SafeString:
    lines = format_html_join(
        "",
        '<tr><th scope="row" style="{};font-weight:600">{}</th><td style="{}">{}</td><td style="{};{}">{}</td></tr>',
        ((CELL, first, CELL, second, CELL, FAINT, third) for first, second, third in rows),
    )
    return format_html('<table role="presentation" style="{}">{}</table>', TABLE, lines) if rows else mark_safe("")


def _paragraphs(text: str) -> SafeString:
    return format_html_join("", '<p style="margin:0 0 12px">{}</p>', ((part,) for part in text.split("\n") if part))


def _button(message: Message) -> SafeString:
    if not message.link.startswith(("https://", "http://")):
        return mark_safe("")
    return format_html(
        '<p><a href="{}" style="{}">{}</a><br><span style="{}">{}</span></p>',
        message.link,
        BUTTON,
        message.link_label,
        FAINT,
        message.link,
    )


def _manage(message: Message) -> SafeString:
    if not message.manage.startswith(("https://", "http://")):
        return mark_safe("")
    return format_html('<p style="{}"><a href="{}" style="{}">{}</a></p>', FAINT, message.manage, FAINT, MANAGE)
