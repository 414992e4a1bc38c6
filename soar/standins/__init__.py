"""The practice range: local servers that behave as vendors' APIs do (connectors.md 5)."""
