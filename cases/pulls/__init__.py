"""Alerts that are read from a product, and telling it what became of them (connectors.md 4)."""
