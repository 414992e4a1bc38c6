"""A file under a passphrase: AES-256-GCM piece by piece, so that size and memory have nothing to do with each other.

    SOARBAK2  salt (16 bytes)  piece  piece ...  last piece

The key comes from the passphrase by scrypt with the salt of this file, so the number of a piece is nonce enough. The
nonce also says whether a piece is the last one: a file that was cut does not open. ``SOARBAK1`` was written before, and
took a quarter of the work to guess at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from soar.backup import BackupError

MAGIC = b"SOARBAK2"
COST = {b"SOARBAK1": 2**15, MAGIC: 2**17}  # of scrypt: what OWASP asks for, 128 MiB and some tenths of a second a guess
SALT = 16
PIECE = 1024 * 1024
TAG = 16


class Sealer:
    """Takes bytes and writes them sealed to ``out``. ``close`` writes the last piece and leaves ``out`` open."""

    def __init__(self, out: IO[bytes], passphrase: str) -> None:
        salt = os.urandom(SALT)
        self._out, self._cipher, self._number = out, _cipher(passphrase, salt, COST[MAGIC]), 0
        self._waiting = bytearray()
        out.write(MAGIC + salt)

    def write(self, data: bytes) -> int:
        """Take ``data``; a piece is written only once it is known not to be the last."""
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(data)

    def flush(self) -> None:
        """Nothing to do: pieces have one size."""

    def close(self) -> None:
        """Write what is left as the last piece."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last), piece, None))
        self._number += 1


def is_sealed(path: Path) -> bool:
    """Whether the file was written by a ``Sealer``."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) in COST


def unseal(path: Path, out: BinaryIO, passphrase: str) -> None:
    """Write the plain bytes of a sealed file to ``out``. Raises BackupError: wrong passphrase, changed, cut."""
    with path.open("rb") as file:
        cost = COST[file.read(len(MAGIC))]
        cipher, number = _cipher(passphrase, file.read(SALT), cost), 0
        piece = file.read(PIECE + TAG)
        while piece:
            following = file.read(PIECE + TAG)
            try:
                out.write(cipher.decrypt(_nonce(number, not following), piece, None))
            except InvalidTag:
                raise BackupError("The passphrase is wrong, or the backup was changed or cut.") from None
            piece, number = following, number + 1
    if not number:
        raise BackupError("The backup was cut: it holds nothing.")


def _cipher(passphrase: str, salt: bytes, cost: int) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode()))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
