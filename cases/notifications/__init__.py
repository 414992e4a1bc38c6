"""Telling people what concerns them: the inbox, and mail and chat by their own choice (casework.md 19)."""
