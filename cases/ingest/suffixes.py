"""The public suffix list, offline: the snapshot that tldextract ships, as one plain set.

tldextract itself is not imported (it brings an HTTP client and takes half a second); only its data is read.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

SNAPSHOT = ".tld_set_snapshot"
PRIVATE_PART = "// ===BEGIN PRIVATE DOMAINS==="


@cache
def rules() -> frozenset[str]:
    """Every rule of the registries' part of the list (``com``, ``co.uk``, ``*.ck``, ``!www.ck``), in ASCII.

    Private rules (``github.io``) are left out: such a name is a domain like any other.
    Raises FileNotFoundError when tldextract is not installed.
    """
    spec = find_spec("tldextract")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("tldextract, which carries the public suffix list, is not installed")
    text = (Path(spec.origin).parent / SNAPSHOT).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.split(PRIVATE_PART)[0].splitlines())
    return frozenset(_ascii(line) for line in lines if line and not line.startswith("//"))


def _ascii(rule: str) -> str:
    return rule if rule.isascii() else rule.encode("idna").decode("ascii")


@cache
def top_levels() -> frozenset[str]:
    """The last labels that exist at all (``com``, ``xn--p1ai``)."""
    return frozenset(rule.rpartition(".")[2] for rule in rules())


def suffix_length(name: str) -> int:
    """How many labels of ``name`` (lower case, ASCII) are public suffix: 0 unknown, 2 for ``a.co.uk``."""
    labels = name.split(".")
    if labels[-1] not in top_levels():
        return 0
    known = rules()
    for start in range(max(0, len(labels) - 5), len(labels)):
        rest = ".".join(labels[start:])
        if "!" + rest in known:
            return len(labels) - start - 1
        if rest in known or "*." + ".".join(labels[start + 1 :]) in known:
            return len(labels) - start
    return 1


def is_registrable(name: str) -> bool:
    """Whether ``name`` (lower case, ASCII) lies below a public suffix: ``evil.com`` yes, ``co.uk`` no."""
    length = suffix_length(name)
    return 0 < length < name.count(".") + 1
