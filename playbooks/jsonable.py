"""Values on their way into a record: plain JSON, secrets masked, digests of arguments. Pure."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

MASK = "••••"
RESULT_AT_MOST = 1_000_000  # characters of JSON
SHOWN_AT_MOST = 4_000  # characters of one recorded argument
_DEPTH = 60
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SECRET = frozenset({
    "token", "tokens", "password", "passwd", "pwd", "passphrase", "secret", "secrets", "key", "apikey",
    "authorization", "credential", "credentials", "cookie", "signature",
})  # fmt: skip


class NotJson(TypeError):
    """A value that cannot be recorded; the text says where in it and why."""


def to_json(value: Any, what: str = "The value") -> Any:
    """``value`` as JSON would give it back: tuples are lists, keys are texts, NUL is U+FFFD.

    Raises NotJson, with ``what`` and the place, for anything that JSON cannot hold or that is too large."""
    plain = _plain(value, what, "", 0)
    size = len(json.dumps(plain, ensure_ascii=False))
    if size > RESULT_AT_MOST:
        raise NotJson(f"{what} is too large to be recorded: {size} characters, at most {RESULT_AT_MOST}.")
    return plain


def _plain(value: Any, what: str, path: str, depth: int) -> Any:
    if depth > _DEPTH:
        raise NotJson(f"{what} is nested too deeply, or contains itself{_at(path[:60])}.")
    if value is None or isinstance(value, bool | int):
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJson(f"{what} holds {value}, which is not JSON{_at(path)}.")
        return value
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, Mapping):
        return {_key(key, what, path): _plain(item, what, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, what, f"{path}[{number}]", depth + 1) for number, item in enumerate(value)]
    raise NotJson(f"{what} holds a {type(value).__name__}, which is not JSON{_at(path)}.")


def _at(path: str) -> str:
    return f" (at {path.removeprefix('.')})" if path else ""


def _key(key: Any, what: str, path: str) -> str:
    if isinstance(key, str | int | float):
        return clean(str(key))
    raise NotJson(f"{what} has a {type(key).__name__} as a key, which is not JSON{_at(path)}.")


def clean(text: str) -> str:
    """``text`` as PostgreSQL can keep it: no NUL, no half of a surrogate pair."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def loosely(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911  one line for each kind of value
    """``value`` as JSON to look at: what JSON cannot hold becomes the name of its type.

    An object may say for itself what stands for it in a record, by an attribute ``soar_reference``."""
    if depth > 20:
        return "…"
    reference = getattr(value, "soar_reference", None)
    if isinstance(reference, str):
        return reference
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): loosely(item, depth + 1) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((loosely(item, depth + 1) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [loosely(item, depth + 1) for item in value]
    return f"<{type(value).__name__}>"


def is_secret(name: str) -> bool:
    """Whether something of this name must not be shown: ``api_key``, ``authToken``, ``PASSWORD``."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return any(word in _SECRET for word in words) or "apikey" in "".join(words)


def mask(value: Any, name: str = "") -> Any:
    """``value`` (JSON) with everything under a telling name masked and long texts cut."""
    if name and is_secret(name) and value not in (None, "", [], {}):
        return MASK
    if isinstance(value, dict):
        return {key: mask(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    if isinstance(value, str) and len(value) > SHOWN_AT_MOST:
        return f"{value[:SHOWN_AT_MOST]}… ({len(value)} characters)"
    return value


def secret_values(value: Any, name: str = "") -> set[str]:
    """The texts under telling names, to be taken out of error messages too."""
    if isinstance(value, dict):
        under = name if name and is_secret(name) else ""
        return {found for key, item in value.items() for found in secret_values(item, under or key)}
    if isinstance(value, list):
        return {found for item in value for found in secret_values(item, name)}
    return {value} if name and is_secret(name) and isinstance(value, str) and len(value) >= 4 else set()


def without(text: str, secrets: set[str]) -> str:
    """``text`` with every one of ``secrets`` masked, longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def digest(value: Any, salt: bytes) -> str:
    """What tells other arguments from these: a keyed digest, so that a short secret cannot be guessed from it."""
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(body.encode("utf-8", "surrogatepass"), key=salt, digest_size=16).hexdigest()
