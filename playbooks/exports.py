"""A response playbook for other products: CACAO 2.0 (response-playbooks.md 31)."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings

from playbooks.graph.cacao import cacao
from playbooks.graph.schema import read
from playbooks.models import Playbook


def cacao_of(row: Playbook) -> dict[str, Any]:
    """The published version. Its id stays the same from one export to the next: it is made of the portal's address and
    the playbook's id. Raises ValueError for one that was never published."""
    if row.current is None:
        raise ValueError(f"{row.name} was never published.")
    here = uuid.uuid5(uuid.NAMESPACE_URL, settings.SOAR_URL)
    own = uuid.uuid5(here, f"playbook {row.pk}")
    graph = read(row.current.definition)[0]
    return cacao(graph, id=own, created_by=here, created=row.created_at, modified=row.current.created_at)
