"""Outgoing webhooks: timeline entries for other programs, signed, with retries and a log (ingest-and-api.md 15)."""
