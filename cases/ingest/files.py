"""File names, paths and registry keys: where they begin and end in free text, and how they are written."""

from __future__ import annotations

import re

from cases.ingest.text import words

# Extensions that make a dotted word a file name. Those that are also top-level domains follow apart.
EXTENSIONS = frozenset(
    words(
        "exe dll sys scr cpl drv ocx efi bat cmd ps1 psm1 psd1 vbs vbe js jse wsf wsh hta jar class war apk"
        " ipa dmg pkg msi msp mst msix appx lnk scf inf reg chm hlp iso img vhd vhdx vmdk doc docx docm dot"
        " dotm dotx rtf odt xls xlsx xlsm xlsb xll xlam csv tsv ppt pptx pptm ppsx odp ods pdf eml msg pst"
        " ost onepkg mht mhtml htm html xhtml xml json yaml yml toml ini cfg conf config txt log evtx evt"
        " etl dmp pcap pcapng rar 7z gz tgz bz2 xz tar lz4 zst ace arj php php5 phtml asp aspx ashx jsp jspx"
        " cgi pyc pyw rb lua go cpp hpp java kt swift tsx vue sql db sqlite mdb accdb bak tmp temp old dat"
        " bin elf ko dylib ttf png jpg jpeg gif bmp ico svg webp tif tiff mp3 mp4 avi mkv wav pem crt cer"
        " key pfx p12 kdbx rdp ovpn swf asc gpg sig plist service socket timer lock pid swp ndjson jsonl md5"
        " sha1 sha256 torrent enc locked crypt encrypted"
    )
)
AMBIGUOUS = frozenset(
    ["zip", "mov", "py", "rs", "md", "sh", "so", "cab"]
)  # top-level domains too: a file unless it looks hosted
NAME = re.compile(r"[^\\/:*?\"<>|\s\x00-\x1f,;=]{1,255}")
VERSION = re.compile(r"[vV]?[0-9]+(?:[._-][0-9]+)*")

WORD = r"[^\\/:*?\"<>|\s,;\x00-\x1f]{1,100}+"
FOLDER = rf"{WORD}(?: {WORD}){{0,3}}\\{{1,2}}"
START = r"(?:[A-Za-z]:|%[A-Za-z_()0-9]{2,30}%|\\{2,4}(?!\\)[\w.$-]{1,63}(?<!\.))"
WINDOWS = re.compile(rf"{START}\\{{1,2}}(?!\\)(?:{FOLDER}){{0,40}}(?:{WORD})?")
UNIX_ROOTS = "etc usr var tmp home opt bin sbin dev root proc lib lib64 mnt srv run boot media Users Library private"
UNIX = re.compile(
    rf"/(?:{'|'.join((UNIX_ROOTS + ' Applications System Volumes').split())})(?:/[\w.@+~%-]{{1,255}}){{1,40}}"
)
CUT = re.compile(r"(\.[A-Za-z0-9]{2,4}) ")  # a file name ended inside what was taken for a folder
SLASHES = re.compile(r"\\{2,}")
HIVES = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_USERS": "HKU",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
HIVE = rf"(?i:{'|'.join([*HIVES, *HIVES.values()])}):?"
REGISTRY = re.compile(rf"(?<![A-Za-z]){HIVE}\\{{1,2}}(?:{FOLDER}){{0,40}}(?:{WORD})?")
REGISTRY_VALUE = re.compile(rf"({HIVE})\\+(.{{1,1000}})", re.S)


def is_file_name(text: str) -> bool:
    """Whether a dotted word is a file's name (``invoice.zip``, ``setup.exe``) rather than a domain."""
    stem, _, extension = text.rpartition(".")
    extension = extension.lower()
    if extension in EXTENSIONS:
        return bool(NAME.fullmatch(text)) and VERSION.fullmatch(stem) is None
    hosted = stem.lower().startswith("www.") or stem.count(".") > 1
    return extension in AMBIGUOUS and not hosted and VERSION.fullmatch(stem) is None


def as_file_name(text: str) -> str:
    """A bare file name, as it is written; empty when it holds a path separator or nothing."""
    text = text.strip().strip('"').strip()
    return text if 0 < len(text) <= 255 and not re.search(r"[\\/:*?\"<>|\x00-\x1f]", text) else ""


def as_file_path(text: str) -> str:
    """A whole path as a field carries it (blanks allowed); doubled backslashes of escaped text undone."""
    text = text.strip().strip('"').strip()
    if not 1 < len(text) <= 1000 or re.search(r"[\x00-\x1f]", text) or not re.search(r"[\\/]", text):
        return ""
    start = "\\\\" if text.startswith("\\\\") else ""
    return start + SLASHES.sub(r"\\", text[len(start) :].lstrip("\\") if start else text)


def as_registry_key(text: str) -> str:
    """A registry key with its hive in short form (``HKLM\\Software\\...``)."""
    match = REGISTRY_VALUE.fullmatch(text.strip().strip('"').strip())
    if not match:
        return ""
    hive = match[1].rstrip(":").upper()
    rest = SLASHES.sub(r"\\", match[2]).strip("\\")
    return f"{HIVES.get(hive, hive)}\\{rest}" if rest else ""


def trim(text: str) -> str:
    """``text`` without punctuation that belongs to the sentence around it; brackets stay when they pair."""
    end = len(text)
    spare = text.count(")") - text.count("(")
    while end and text[end - 1] in ".,;:!?'\")]}>*":
        if text[end - 1] == ")":
            if spare <= 0:
                break
            spare -= 1
        end -= 1
    return text[:end]


def path_of(match_text: str) -> str:
    """The path at the start of what the pattern took: cut after a file name, trimmed."""
    ended = CUT.search(match_text)
    return trim(match_text[: ended.end(1)] if ended else match_text).rstrip("\\")
