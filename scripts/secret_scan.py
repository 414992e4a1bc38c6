"""``python scripts/secret_scan.py``: secrets in the files of the project: keys of clouds, private keys, passwords.

Found by detect-secrets. In the tests, which are full of invented ones, it looks for what has the shape of a real one;
everywhere else also for whatever is called a password, secret or token, and for long hexadecimal words. What only looks
so is listed in ``scripts/known_secrets.json`` and ``scripts/known_words.json``; what is in neither is printed, and the
exit code is 1. ``--accept`` writes the lists anew.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("benchmarks", "cases", "deploy", "docs", "examples", "playbooks", "scripts", "soar", "templates", "tests")
TESTS = "tests/"
MOVED = 3  # the hook's exit code where what is listed stands on other lines or is gone
# These go by names and by the look of random text.
NOISY = ("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector")
# The list of each look, and what is switched off in it.
SHAPES = ("scripts/known_secrets.json", NOISY)
WORDS = ("scripts/known_words.json", ("Base64HighEntropyString", "IPPublicDetector"))


def files() -> list[str]:
    """Every file of the project's own folders and of its top, relative to it."""
    inside = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))
    own = (file for file in (*inside, *ROOT.iterdir()) if file.is_file() and "__pycache__" not in file.parts)
    return sorted(str(file.relative_to(ROOT)) for file in own)


def main() -> int:
    """Print what is new. Returns the exit code."""
    names = files()
    looks = [(SHAPES, names), (WORDS, [name for name in names if not name.startswith((TESTS, "scripts/known_"))])]
    if "--accept" in sys.argv:
        for (known, off), among in looks:
            _accept(known, off, among)
        return 0
    return max(_look(known, off, among) for (known, off), among in looks)


def _off(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in ("--disable-plugin", name)]


def _accept(known: str, off: tuple[str, ...], names: list[str]) -> None:
    scan = [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", *_off(off), *names]
    (ROOT / known).write_text(subprocess.run(scan, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def _look(known: str, off: tuple[str, ...], names: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        # A copy: the hook writes other line numbers into the list, and says so by its exit code.
        copy = shutil.copy(ROOT / known, folder)
        hook = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify", "--baseline", copy, *_off(off)]
        done = subprocess.run([*hook, *names], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == MOVED:
        return 0
    print(done.stdout, end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
