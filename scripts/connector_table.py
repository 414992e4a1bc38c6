"""``make tables``: the table of docs/connectors.md that says which product does what."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "connectors.md"
BEGIN = "<!-- table of soar/connectors/serving.py: begin -->\n"
END = "<!-- table of soar/connectors/serving.py: end -->\n"


def main() -> None:
    """Put the table between its marks."""
    from soar.connectors.serving import markdown

    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{markdown()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soar.settings")
    django.setup()
    main()
