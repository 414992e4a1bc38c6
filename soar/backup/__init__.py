"""Backup and restore of a whole portal: database, files, keys (operations.md 2)."""

from __future__ import annotations


class BackupError(Exception):
    """The text says what is wrong and what to do; it is shown as it is."""
