"""What a task changed, so that an undo takes back that and nothing else: what was so before, somebody else had done
(response-playbooks.md 17). A connector says ``changed`` in the data of its result; who does not know says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from playbooks.models import ResponseTask
from playbooks.steps.calls import LEFT

LISTED = "listed"  # in the data of a task that blocks: whether our own list got the entry by it
STAYS = gettext_noop("It was so before that task, and stays so.")


def by_product(data: Mapping[str, Any]) -> bool:
    """Whether the product was changed, as far as is known. One that was tried anew under another key may have found
    what its own first try had left."""
    return data.get("changed") is not False or LEFT in data


def by_list(data: Mapping[str, Any]) -> bool:
    """Whether our own block list was changed, as far as is known."""
    return data.get(LISTED) is not False or LEFT in data


def anything(task: ResponseTask) -> bool:
    """Whether there is anything that an undo of the task could take back."""
    if task.capability != "block":
        return by_product(task.data)
    return by_list(task.data) or (task.account_id is not None and by_product(task.data))


def undone_of(task: ResponseTask) -> Mapping[str, Any]:
    """What came of the task that this one undoes; empty for one that undoes nothing."""
    undoes = task.params.get("undoes")
    return undoes if isinstance(undoes, dict) else {}
