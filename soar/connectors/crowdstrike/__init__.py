"""CrowdStrike Falcon: hosts contained and released, files blocked by hash (connectors.md 4)."""
