"""Alerts and incidents of Microsoft Defender XDR, read from Microsoft Graph (ingest-and-api.md 2, connectors.md 4)."""
