"""A script as people send it: bytes to a checked text, or what is wrong with it. Pure (response-playbooks.md 16).

Nothing is guessed: a file of another encoding is refused, not turned into other letters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from cases.errors import Refused

BYTES_AT_MOST = 1024 * 1024
NAME_AT_MOST = 200
LANGUAGES = {".ps1": "powershell", ".sh": "bash"}
LABELS = {"powershell": "PowerShell", "bash": "Bash"}
SYSTEMS = {"linux": "Linux", "macos": "macOS"}


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A script that may be kept. ``sha256`` and ``size`` are of the bytes that were sent."""

    name: str
    language: str
    systems: tuple[str, ...]
    text: str
    sha256: str
    size: int


def read(name: str, body: bytes, systems: Sequence[str] = ()) -> ScriptFile:
    """Check a file. ``systems``: linux, macos; Bash needs one or both, PowerShell takes none.

    Raises Refused beside ``name``, ``file`` or ``systems``."""
    checked = _name(name)
    language = _language(checked)
    text = _text(body)
    return ScriptFile(checked, language, _systems(language, systems), text, hashlib.sha256(body).hexdigest(), len(body))


def _name(name: str) -> str:
    """The file's own name, without the folders that some browsers send along."""
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    if not last or len(last) > NAME_AT_MOST or not last.isprintable():
        raise Refused(
            _("A script's name has 1 to %(name_at_most)s printable characters.") % {"name_at_most": NAME_AT_MOST},
            field="name",
        )
    return last


def _language(name: str) -> str:
    for ending, language in LANGUAGES.items():
        if name.lower().endswith(ending) and len(name) > len(ending):
            return language
    raise Refused(_("Only PowerShell (.ps1) and Bash (.sh) can be run on endpoints."), field="name")


def _text(body: bytes) -> str:
    if len(body) > BYTES_AT_MOST:
        raise Refused(_("The script is larger than 1 MiB."), field="file")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(_("The script is not UTF-8. Save it as UTF-8 and send it again."), field="file") from None
    if "\x00" in text:
        raise Refused(_("The script holds a NUL character: that is no text."), field="file")
    if not text.strip("\ufeff \t\r\n"):
        raise Refused(_("The script is empty."), field="file")
    return text


def _systems(language: str, systems: Sequence[str]) -> tuple[str, ...]:
    wrong = [name for name in systems if name not in SYSTEMS]
    if wrong:
        raise Refused(
            _("An operating system is one of: %(systems)s.") % {"systems": ", ".join(SYSTEMS)}, field="systems"
        )
    if language == "bash" and not systems:
        raise Refused(_("Say on which operating system this Bash script runs: Linux, macOS or both."), field="systems")
    if language == "powershell" and systems:
        raise Refused(_("PowerShell scripts run on Windows: leave the operating system empty."), field="systems")
    return tuple(name for name in SYSTEMS if name in systems)
