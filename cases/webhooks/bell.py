"""Which bells of the timeline are rung. While no endpoint is switched on, the webhooks' reader costs no queue row.

It is asked in the statement that writes the entry, so the first entry after an endpoint was switched on is told."""

from __future__ import annotations

CONSIDER = "cases.tasks.webhooks_consider"
ANY = "EXISTS (SELECT 1 FROM cases_webhookendpoint WHERE enabled)"
# Of a row ``t(task)`` in a statement that rings readers.
RUNG = f"(t.task <> '{CONSIDER}' OR {ANY})"
