"""Trend Vision One, public API v3.0."""
