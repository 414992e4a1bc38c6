"""Products that say what the world knows of a value (connectors.md 4). One file each, on ``base.py``."""
