"""The programs of an older major version of PostgreSQL than the embedded one, from the distribution."""

from __future__ import annotations

from pathlib import Path

from soar.embedded import binaries


def older_programs() -> Path:
    """The newest of the system's that is older than the portal's. .ci/run installs it: its lack is a failure."""
    here = binaries.major(binaries.find())
    found = [(int(path.parent.name), path) for path in binaries.DEBIAN.glob("[0-9]*/bin") if (path / "initdb").exists()]
    older = [one for one in sorted(found) if one[0] < here]
    assert older, "There is no PostgreSQL older than the embedded one here: apt-get install postgresql"
    return older[-1][1]
