"""Forms of several parts, as far as an upload needs them."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP


def parts_of(content_type: str, body: bytes) -> list[tuple[str, str, str, bytes]]:
    """(field, file name, content type, content) of every part; none if it is no such form."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not message.is_multipart():
        return []
    found = []
    for part in message.iter_parts():
        field = part.get_param("name", "", header="content-disposition")
        content = part.get_payload(decode=True)
        named = part.get_filename() or ""
        found.append((str(field), named, part.get_content_type(), content if isinstance(content, bytes) else b""))
    return found
