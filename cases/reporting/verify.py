"""Verify an exported incident: python verify.py ARCHIVE.zip [--key PUBLIC_KEY], with Python 3.9 and nothing else.

Checks the Ed25519 signature of the zip, or of the folder it was unpacked to, that no file was changed, added, removed
or missing before, and the timeline. Without PUBLIC_KEY (64 hex digits, from the portal) it only agrees with itself."""

import argparse
import hashlib
import json
import pathlib
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any as Json

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)


def plus(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:  # RFC 8032, 5.1.4
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    return (f - e) * (d - c) % P, (d + c) * (f + e) % P, (d - c) * (d + c) % P, (f - e) * (f + e) % P


def times(number: int, point: tuple[int, ...]) -> tuple[int, ...]:
    found: tuple[int, ...] = (0, 1, 1, 0)
    while number:
        found, point, number = plus(found, point) if number & 1 else found, plus(point, point), number >> 1
    return found


def decoded(data: bytes) -> tuple[int, ...]:  # RFC 8032, 5.1.3
    y, odd = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if len(data) != 32 or y >= P or x * x % P != square or (x == 0 and odd):
        raise ValueError("this is no public key or no signature")
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P


def signed(key: bytes, message: bytes, signature: bytes) -> bool:  # RFC 8032, 5.1.7
    s, hashed = int.from_bytes(signature[32:], "little"), hashlib.sha512(signature[:32] + key + message).digest()
    left = times(s % L, decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")))
    right = plus(decoded(signature[:32]), times(int.from_bytes(hashed, "little") % L, decoded(key)))
    return len(signature) == 64 and s < L and all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def opened(path: pathlib.Path) -> list[tuple[str, Callable[[], bytes]]]:  # [(name, how to read it)]
    if path.is_dir():
        found = [one for one in path.rglob("*") if one.is_symlink() or not one.is_dir()]
        return [(one.relative_to(path).as_posix(), one.read_bytes) for one in found]
    archive = zipfile.ZipFile(path)
    return [(one.filename, lambda one=one: archive.read(one)) for one in archive.infolist()]  # type: ignore[misc]


def timeline(entries: list[Json], chains: dict[str, Json]) -> Iterator[str]:  # manifest.json says how
    if strange := {one["subject"] for one in entries} - set(chains):
        yield f"{', '.join(sorted(strange))}: entries of what the manifest does not name"
    for subject, chain in chains.items():
        previous, own = None, [one for one in entries if one["subject"] == subject]
        for one in own:
            moments = [t if "." in t else t[:-1] + ".000000Z" for t in (one["occurred_at"], one["recorded_at"])]
            fields = [previous, one["id"], subject, one["kind"], one["actor"], *moments, one["text"], one["data"]]
            text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if "hidden" not in one["data"] and hashlib.sha256(text.encode()).hexdigest() != one["hash"]:
                yield f"{subject}, entry {one['id']}: changed, or what stood before it is missing or in another order"
            previous = one["hash"]
        if len(own) != chain["count"] or previous != chain["head"]:
            yield f"{subject}: {len(own)} of {chain['count']} entries, or not to the end that was signed"


def findings(path: pathlib.Path, trusted: str) -> Iterator[str]:
    files, names = dict(opened(path)), [name for name, _read in opened(path)]
    manifest = json.loads(files["manifest.json"]())
    key, known = bytes.fromhex(trusted or manifest["key"]["public_key"]), manifest["files"]
    if not signed(key, files["manifest.json"](), bytes.fromhex(files["manifest.sig"]().decode())):
        yield "manifest.json: changed, or not signed with this key"
    for name in sorted({*known, *names}):
        if name not in files or name not in {*known, "manifest.json", "manifest.sig"} or names.count(name) > 1:
            yield f"{name}: {'added' if name in files else 'missing'}"
        elif name in known and hashlib.sha256(files[name]()).hexdigest() != known[name]["sha256"]:
            yield f"{name}: changed"
    yield from (f"evidence {one['name']!r}: damaged or missing at its export" for one in manifest["missing"])
    yield from timeline(json.loads(files["incident.json"]())["timeline"], manifest["timeline"]["chains"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("--key", default="")
    given = parser.parse_args()
    try:
        wrong = list(findings(given.archive, given.key.strip()))
    except (OSError, LookupError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, RuntimeError) as error:
        wrong = [f"{given.archive}: cannot be read as an exported incident: {error!r}"]
    print("\n".join(wrong) or f"Whole{', and signed with this key' if given.key else '. Whose it is, --key tells'}.")
    sys.exit(bool(wrong))
