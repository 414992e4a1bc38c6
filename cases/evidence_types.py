"""What a file is by its first bytes: the type that is shown, never the one it is served with. Pure."""

from __future__ import annotations

HEAD = 2048  # bytes that are looked at
UNKNOWN = "application/octet-stream"
# (where, bytes, type); the first that fits counts.
_SIGNS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MDMP", "application/x-dmp"),
    (0, b"PAGEDU64", "application/x-dmp"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\xca\xfe\xba\xbe", "application/x-mach-binary"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"7z\xbc\xaf'\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"MSCF", "application/vnd.ms-cab-compressed"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"ElfFile\x00", "application/x-ms-evtx"),
    (0, b"regf", "application/x-ms-registry"),
    (0, b"!BDN", "application/vnd.ms-outlook-pst"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (257, b"ustar", "application/x-tar"),
)
_ZIPPED = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"META-INF/", "application/java-archive"),
)
_MARKUP = ((b"<!doctype html", "text/html"), (b"<html", "text/html"), (b"<?xml", "application/xml"))
_MAIL = ("received:", "return-path:", "delivered-to:", "from:", "message-id:", "mime-version:", "date:", "subject:")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def type_of(head: bytes) -> str:
    """The media type of a file that begins with ``head`` (``HEAD`` bytes, or all of it)."""
    for at, sign, name in _SIGNS:
        if head[at : at + len(sign)] == sign:
            return name
    if head[:4] == b"PK\x03\x04":
        return next((name for part, name in _ZIPPED if part in head), "application/zip")
    return _text(head)


def _text(head: bytes) -> str:
    start = head.lstrip().lower()
    for sign, name in _MARKUP:
        if start.startswith(sign):
            return name
    if head.startswith(_BOMS):
        return "text/plain"
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        # A sign of several bytes may be cut at the end of what is looked at.
        if len(head) < HEAD or error.start < len(head) - 3:
            return UNKNOWN
        text = head[: error.start].decode()
    if any(sign < " " and sign not in "\t\n\r\f\x1b" for sign in text):
        return UNKNOWN
    return _of_words(text)


def _of_words(text: str) -> str:
    if text.lstrip()[:1] in ("{", "["):
        return "application/json"
    names = [line.split(" ")[0].lower() for line in text.splitlines()[:40]]
    return "message/rfc822" if names[:1] and names[0] in _MAIL and len({*names} & {*_MAIL}) > 1 else "text/plain"
