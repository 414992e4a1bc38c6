"""A zip with one entry under the password ``infected``, as malware is handed on: no mail gateway, preview or double
click opens what is in it. Written while it is sent.

The WinZip AE-2 format with AES-256: https://www.winzip.com/en/support/aes-encryption/ . The entry is stored, not
compressed, so the length of the whole is known before the first byte."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterator
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PASSWORD = b"infected"
SALT, CHECK, TAG = 16, 2, 10
ROUNDS = 1000  # the format's own
PIECE = 64 * 1024  # a whole number of AES blocks
# AE-2, vendor "AE", 256 bits, method: stored.
_AES = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 0)
_FLAGS = 0x0001 | 0x0800  # encrypted; the name is UTF-8
_METHOD, _VERSION = 99, 51
_DATE = (1 << 5) | 1  # 1 January 1980: the entry has no date of its own


class Readable(Protocol):
    """What is read in pieces: a file, or something that watches one."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


def zip_length(name: str, size: int) -> int:
    """How long the archive of a file of ``size`` bytes is."""
    entry = len(name.encode()) + len(_AES)
    return 30 + entry + SALT + CHECK + size + TAG + 46 + entry + 22


def zipped(name: str, size: int, file: Readable) -> Iterator[bytes]:
    """The archive, piece by piece. ``size`` must be the file's; below 4 GiB, which is far above any limit here."""
    salt = secrets.token_bytes(SALT)
    keys = hashlib.pbkdf2_hmac("sha1", PASSWORD, salt, ROUNDS, 2 * 32 + CHECK)
    sealed = SALT + CHECK + size + TAG
    entry = name.encode()
    shared = struct.pack("<HHHHHIIIHH", _VERSION, _FLAGS, _METHOD, 0, _DATE, 0, sealed, size, len(entry), len(_AES))
    begin = struct.pack("<4s", b"PK\x03\x04") + shared + entry + _AES
    yield begin + salt + keys[64:]
    mac = hmac.new(keys[32:64], digestmod=hashlib.sha1)
    for piece in _encrypted(keys[:32], file):
        mac.update(piece)
        yield piece
    central = (
        struct.pack("<4sH", b"PK\x01\x02", _VERSION) + shared + struct.pack("<HHHII", 0, 0, 0, 0, 0) + entry + _AES
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(begin) + sealed, 0)
    yield mac.digest()[:TAG] + central + end


def _encrypted(key: bytes, file: Readable) -> Iterator[bytes]:
    """AES in counter mode with WinZip's counter, which counts from 1 with the least significant byte first; that of
    ``modes.CTR`` counts the other way round."""
    block = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305  the counter mode is made of it
    number = 1
    while piece := file.read(PIECE):
        count = -(-len(piece) // 16)
        stream = block.update(b"".join(n.to_bytes(16, "little") for n in range(number, number + count)))
        number += count
        whole = int.from_bytes(piece, "little") ^ int.from_bytes(stream[: len(piece)], "little")
        yield whole.to_bytes(len(piece), "little")
