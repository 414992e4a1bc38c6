"""Machines of Microsoft Defender for Endpoint (connectors.md 4)."""
