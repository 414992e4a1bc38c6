"""The scan for secrets finds one that somebody left in a file, and nothing in the project as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOOK = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify"]


@pytest.mark.parametrize(
    "line",
    [
        "key = 'AKIA" + "IOSFODNN7ABCDEFG'",
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "url = 'https://user:" + "hunter2secret@db.example.com/'",
    ],
)
def test_a_secret_in_a_file_is_found(tmp_path: Path, line: str) -> None:
    left = tmp_path / "left.py"
    left.write_text(f"{line}\n")
    known = ["--baseline", str(ROOT / "scripts" / "known_secrets.json")]
    done = subprocess.run([*HOOK, *known, str(left)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "left.py" in done.stdout
