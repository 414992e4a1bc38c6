"""Feeds: lists of others, from a file or an address, that rate observables (connectors.md 4)."""
