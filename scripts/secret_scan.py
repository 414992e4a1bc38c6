"""``python scripts/secret_scan.py``: secrets in the files of the project: keys of clouds, private keys, passwords.

Found by detect-secrets. Words that only look so (examples of vendors in tests and pages) are listed in
``scripts/known_secrets.json``; what is not in it is printed, and the exit code is 1. ``--accept`` writes the list anew.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
KNOWN = "scripts/known_secrets.json"
# These go by the look of random text, of which the tests are full.
NOISY = ("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector")
FOLDERS = ("benchmarks", "cases", "deploy", "docs", "examples", "playbooks", "scripts", "soar", "templates", "tests")


def files() -> list[str]:
    """Every file of the project's own folders and of its top, relative to it."""
    inside = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))
    own = (file for file in (*inside, *ROOT.iterdir()) if file.is_file() and "__pycache__" not in file.parts)
    return sorted(str(file.relative_to(ROOT)) for file in own)


def main() -> int:
    """Print what is new. Returns the exit code."""
    off = [word for name in NOISY for word in ("--disable-plugin", name)]
    if "--accept" in sys.argv:
        scan = [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", *off]
        (ROOT / KNOWN).write_text(subprocess.run(scan, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        return 0
    hook = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify", "--baseline", KNOWN, *off]
    return subprocess.run([*hook, *files()], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
