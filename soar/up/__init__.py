"""``manage.py up``: everything in the foreground, under one supervisor (operations.md 1)."""
