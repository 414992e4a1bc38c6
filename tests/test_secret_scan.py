"""The scan for secrets finds one that somebody left in a file, and nothing in the project as it is."""

from __future__ import annotations

import runpy
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


@pytest.mark.parametrize(
    "line",
    [
        'DATABASE_PASSWORD = "' + 's3cr3t-of-production-42"',
        'client_secret = "' + '8Q~abcDEFghiJKLmnoPQRstuVWXyz0123456789"',
        'seen = "' + '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    ],
)
def test_outside_of_the_tests_names_and_random_words_count_too(
    tmp_path: Path, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    left = tmp_path / "left.py"
    left.write_text(f"{line}\n")
    scan = runpy.run_path(str(ROOT / "scripts/secret_scan.py"))
    assert scan["_look"](*scan["WORDS"], [str(left)]) == 1
    assert "left.py" in capfd.readouterr().out
