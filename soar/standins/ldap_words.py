"""Messages of LDAP (RFC 4511) in BER: read from a connection, taken apart, put together. Nothing of the client's code
is used, so that a mistake there is not made here too."""

from __future__ import annotations

from typing import Any

LARGEST = 1024 * 1024
DEEPEST = 20
BIND, UNBIND, SEARCH, MODIFY, EXTENDED = 0x60, 0x42, 0x63, 0x66, 0x77
NAMES = {BIND: "bind", UNBIND: "unbind", SEARCH: "search", MODIFY: "modify", EXTENDED: "extended"}
ENDS = {"bind": 0x61, "search": 0x65, "modify": 0x67, "extended": 0x78}
ENTRY, REFERENCE = 0x64, 0x73
INTEGER, TEXT, ENUM, SEQUENCE, SET = 0x02, 0x04, 0x0A, 0x30, 0x31
AND, OR, NOT, EQUAL, PRESENT = 0xA0, 0xA1, 0xA2, 0xA3, 0x87
ADD, DELETE, REPLACE = 0, 1, 2
Item = tuple[int, bytes]
Values = dict[str, list[str]]


class Refusal(Exception):
    """An operation that is refused, with its result code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def read(stream: Any) -> bytes:
    """The content of the next message; empty when the other side has gone. Raises ValueError."""
    head = _exactly(stream, 2)
    if len(head) < 2:
        return b""
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(_exactly(stream, length & 0x7F), "big")
    if head[0] != SEQUENCE or length > LARGEST:
        raise ValueError("no message of LDAP")
    return _exactly(stream, length)


def request_of(message: bytes) -> tuple[int, str, list[Item]]:
    """Number, name of the operation, and its parts. Raises ValueError."""
    number, operation = parts(message)[:2]
    name = NAMES.get(operation[0], "")
    return int.from_bytes(number[1], "big"), name, parts(operation[1]) if name not in ("", "unbind") else []


def parts(data: bytes) -> list[Item]:
    """Tag and content of what stands one after the other. Raises ValueError."""
    found, place = [], 0
    while place < len(data):
        tag, length = data[place], data[place + 1] if place + 1 < len(data) else 0
        place += 2
        if length & 0x80:
            more = length & 0x7F
            length, place = int.from_bytes(data[place : place + more], "big"), place + more
        if place + length > len(data):
            raise ValueError("cut off")
        found.append((tag, data[place : place + length]))
        place += length
    return found


def framed(number: int, operation: bytes) -> bytes:
    """A message as it is sent."""
    return _made(SEQUENCE, _made(INTEGER, number.to_bytes(4, "big")) + operation)


def result(operation: str, code: int = 0, text: str = "") -> bytes:
    """The end of an operation."""
    body = _made(ENUM, bytes([code])) + _text("") + _text(text)
    return _made(ENDS.get(operation, ENDS["extended"]), body)


def entry(dn: str, values: Values, names: list[str]) -> bytes:
    """An entry with the attributes ``names``."""
    asked = {name.casefold() for name in names}
    shown = [(name, given) for name, given in values.items() if given and (name.casefold() in asked or "*" in asked)]
    attributes = b"".join(
        _made(SEQUENCE, _text(name) + _made(SET, b"".join(_text(one) for one in given))) for name, given in shown
    )
    return _made(ENTRY, _text(dn) + _made(SEQUENCE, attributes))


def reference(url: str) -> bytes:
    """A pointer to another server."""
    return _made(REFERENCE, _text(url))


def credentials(given: list[Item]) -> tuple[str, str]:
    """Name and password of a simple bind."""
    return _word(given[1]), _word(given[2])


def search_of(given: list[Item]) -> tuple[str, int, int, list[str]]:
    """Base, scope, how many at most, and the attributes that are asked for."""
    return (
        _word(given[0]),
        given[1][1][-1],
        int.from_bytes(given[3][1], "big"),
        [_word(one) for one in parts(given[7][1])],
    )


def changes(given: list[Item]) -> tuple[str, list[tuple[int, str, list[str]]]]:
    """The entry, and (how, attribute, values) of each change."""
    found = []
    for _tag, content in parts(given[1][1]):
        how, what = parts(content)
        name, values = parts(what[1])
        found.append((how[1][-1], _word(name), [_word(one) for one in parts(values[1])]))
    return _word(given[0]), found


def apply(values: Values, how: int, name: str, given: list[str]) -> None:
    """Make one change. Raises Refusal."""
    now = values.get(name, [])
    if how == REPLACE:
        values[name] = given
    elif how == ADD:
        values[name] = [*now, *given]
    elif not set(given) <= set(now):
        raise Refusal(16, "00002085: AtrErr: DSID-03151785, problem 1001 (NO_ATTRIBUTE_OR_VAL)")
    else:
        values[name] = [one for one in now if given and one not in given]


def matches(filter_: Item, values: Values, depth: int = 0) -> bool:
    """Whether an entry is what a filter asks for. Raises Refusal."""
    tag, content = filter_
    if tag in (AND, OR, NOT) and depth < DEEPEST:
        inner = [matches(one, values, depth + 1) for one in parts(content)]
        return all(inner) if tag == AND else any(inner) if tag == OR else not inner[0]
    lowered = {name.casefold(): [one.casefold() for one in given] for name, given in values.items()}
    if tag == PRESENT:
        return bool(lowered.get(content.decode().casefold()))
    if tag == EQUAL:
        name, wanted = parts(content)
        return _word(wanted).casefold() in lowered.get(_word(name).casefold(), [])
    raise Refusal(53, "this filter is not done here")


def _word(item: Item) -> str:
    return item[1].decode("utf-8", "replace")


def _text(text: str) -> bytes:
    return _made(TEXT, text.encode())


def _made(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _exactly(stream: Any, length: int) -> bytes:
    data = b""
    while len(data) < length and (piece := stream.recv(length - len(data))):
        data += piece
    return data
