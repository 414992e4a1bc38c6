"""Finding indicators in free text: what is found of a made report, how fast, and how hostile texts fare.

The oracle is ``ioc-finder``, which reads the same report in the same run. Both are asked for the values alone (type and
normalised value) of the kinds that both know. Where they differ, one of these is why:

- ioc-finder keeps the point, comma, semicolon or bracket of the sentence at the end of a URL;
- it takes file names (``report.py``, ``main.rs``) and class names (``System.Net``) for domains;
- it reads no URL whose host is an IPv6 address or an international name as such;
- it takes the numbers of versions (``version 10.0.0.1``) for addresses, which we leave out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from benchmarks.report import Row
from cases.ingest.iocs import extract
from cases.ingest.text import words

EACH = 900  # of every kind in the report
MEBI = 1 << 20
TYPES = {"urls": "url", "domains": "domain", "ipv4s": "ip", "ipv6s": "ip", "email_addresses": "email",
         "md5s": "md5", "sha1s": "sha1", "sha256s": "sha256", "cves": "cve"}  # fmt: skip
WORDS = words(
    "the connection from a server was denied because the account failed its authentication and the process that was"
    " started closed the session for another host after several attempts which the policy had blocked before"
)
DECOYS = ("report.py", "main.rs", "README.md", "System.Net", "std::vector", "12:30:45", "e.g.", "version 10.0.0.1",
          "array[0]", "build 4.8.4084.0", "a/b/c", "Chrome/120.0.0.0")  # fmt: skip
# Repeated to a mebibyte: what makes scanners slow.
HOSTILE = (
    ".", "a.", "a[.]", "[", "[[(({{", "[({", "http://", "http://a", "://", "p://a", "tp://a", "a1", "1", "1.",
    "1.1.1.1.", "1:", "::", "\\", "C:\\", "C:\\a ", "C:\\a\\", "%\\", "aa%\\", "HKLM\\", "HKLM\\a b c d ", "LM\\", "@",
    "a@", "a@a.com", "a@a.com,", "/", "/tmp/a", "/tmp/a ", ")", "http://a.com/)))) ", "CVE-", "0x", "-", "%a", "\0",
    "é.", "hxxp", "hxxp[:]//", "xn--a.", "1" * 34 + " ", "\\\\a ", "\\\\a\\", "a b c\\", "10.0.0.1:1/2:3 ", ".com",
    "a.com/", "\u202e", "\u200b", "а.com ", "T1", "AS1 ", "version 1.", "aa:bb:cc:dd:ee:ff:", "bc1q", "=",
    "\n", "\u2028", "C:\\a b ", "HKLM\\a b c ", "http://a.com/))))",
)  # fmt: skip
Values = dict[str, set[str]]


def report() -> tuple[str, Values]:
    """A report of about 700 KB with its indicators, every third of them defanged, and what it really holds."""
    chance, held = random.Random(7), {kind: set[str]() for kind in set(TYPES.values())}
    lines = []
    for number in range(EACH):
        for kind, value in _made(chance, number):
            held[kind].add(value)
            if kind == "url":
                held["domain"].add(value.split("/")[2])
            if kind == "email":
                held["domain"].add(value.partition("@")[2])
            shown = value if number % 3 else value.replace("http", "hxxp").replace(".", "[.]", 1)
            said = " ".join(chance.choices(WORDS, k=8))
            lines.append(f"{said} {shown}{chance.choice('.,; )')} {chance.choice(DECOYS)}")
    chance.shuffle(lines)
    return "\n".join(lines), held


def _made(chance: random.Random, number: int) -> Iterator[tuple[str, str]]:
    yield "url", f"https://cdn{number}.bad-site.com/p/{chance.randrange(10**6)}?q={number}"
    yield "domain", f"c2-{number}.evil-host.net"
    yield "ip", f"203.0.{number % 250}.{number // 250 + 1}"
    yield "ip", f"2001:db8::{number + 16:x}:{chance.randrange(16, 65535):x}"
    yield "email", f"user{number}@mail{number}.example.org"
    yield "md5", f"{chance.getrandbits(128):032x}"
    yield "sha1", f"{chance.getrandbits(160):040x}"
    yield "sha256", f"{chance.getrandbits(256):064x}"
    yield "cve", f"CVE-{2000 + number % 26}-{10_000 + number}"


def prose(size: int) -> str:
    """Plain words with an indicator now and then."""
    chance = random.Random(3)
    parts = [
        " ".join(chance.choices(WORDS, k=40)) + f". Seen from 198.51.100.{n % 250} at evil{n}[.]com."
        for n in range(size // 200)
    ]
    return "\n".join(parts)[:size]


def ours(text: str) -> Values:
    """By type, the hosts of URLs and mail addresses as domains too, as the oracle gives them."""
    found = {kind: set[str]() for kind in set(TYPES.values())}
    for kind, value in extract(text):
        if kind in found:
            found[kind].add(value)
    for url in found["url"]:
        found["domain"].add(url.split("/")[2])
    for address in found["email"]:
        found["domain"].add(address.partition("@")[2])
    return found


def oracle(text: str) -> Values:
    """What ioc-finder finds, by our names of types."""
    from ioc_finder import find_iocs

    found = {kind: set[str]() for kind in set(TYPES.values())}
    result = find_iocs(text, included_ioc_types=list(TYPES), parse_urls_without_scheme=False)
    for theirs, kind in TYPES.items():
        found[kind] |= set(result[theirs])
    return found


def measure() -> Iterator[Row]:
    """What is found, how fast, and the worst of the hostile texts."""
    text, held = report()
    extract("warm up a.com")
    for name, read in (("Soar", ours), ("ioc-finder", oracle)):
        found = read(text)
        share, extra = _found(held, found)
        ask = name == "Soar"
        yield Row(f"indicators of a report of {len(text) // 1000} KB found by {name}", share, "%", 100 if ask else None)
        yield Row(f"what {name} found that the report does not hold", extra, "values", 0 if ask else None, "less")
    yield from _speed(text)
    yield from _hostile(HOSTILE)


def _found(held: Values, found: Values) -> tuple[float, float]:
    hits = sum(len(values & found[kind]) for kind, values in held.items())
    extra = sum(len(found[kind] - values) for kind, values in held.items())
    return 100 * hits / sum(map(len, held.values())), float(extra)


def _speed(text: str) -> Iterator[Row]:
    plain = prose(MEBI)
    yield Row("extraction from prose", len(plain.encode()) / 1e6 / _best(lambda: extract(plain), 3), "MB/s", 5)
    mine, theirs = _best(lambda: ours(text), 3), _best(lambda: oracle(text), 2)
    yield Row("extraction from the report beside ioc-finder", theirs / mine, "x", 5)


def _hostile(units: Iterable[str]) -> Iterator[Row]:
    worst, steepest = (0.0, ""), (0.0, "")
    for unit in units:
        whole, quarter = ((unit * (size // len(unit) + 1))[:size] for size in (MEBI, MEBI // 4))
        long, short = _best(partial(extract, whole), 2), _best(partial(extract, quarter), 2)
        worst = max(worst, (long, unit))
        steepest = max(steepest, (long / max(short, 0.005), unit))
    yield Row(f"1 MiB of a hostile text, the worst of {len(HOSTILE)}: {worst[1]!r}", worst[0], "s", 1, "less")
    # Four times the text may take four times as long; a quadratic scanner takes sixteen times.
    yield Row(f"four times the text, the steepest: {steepest[1]!r}", steepest[0], "x", 8, "less")


def _best(what: Callable[[], object], times: int) -> float:
    """Processor seconds, the best of some: other work on the machine does not count."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        what()
        spent.append(time.process_time() - begin)
    return min(spent)
