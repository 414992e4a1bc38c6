"""``python scripts/audit.py``: known weaknesses in what is installed, asked from PyPI's advisories by pip-audit.

Exit code 0: every package was asked about and none has one. 1: some have; they are printed. 3: nobody could be asked,
about all or about some; a network without PyPI is no proof of safety, so this is told apart.
"""

from __future__ import annotations

import json
import subprocess
import sys

COMMAND = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off", "--format", "json"]
UNASKED = 3


def main() -> int:
    """Print what was found. Returns the exit code."""
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"the advisories could not be reached: {done.stderr.strip().splitlines()[-1:]}")
        return UNASKED
    weak = [(one["name"], one["version"], weakness) for one in packages for weakness in one.get("vulns", [])]
    for name, version, weakness in weak:
        print(
            f"{name} {version}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
        )
    if weak:
        return 1
    unasked = [one["name"] for one in packages if "skip_reason" in one]
    if unasked:
        print(f"{len(unasked)} of {len(packages)} packages are not known to the index that was asked")
        return UNASKED
    return 0


if __name__ == "__main__":
    sys.exit(main())
