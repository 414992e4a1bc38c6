"""Outgoing webhooks: timeline entries posted to other programs, signed, with retries and a log (spec 15)."""
