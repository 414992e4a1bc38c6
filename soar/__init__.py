"""Soar: a portal for security operations."""

__version__ = "0.1.0"  # as in pyproject.toml
