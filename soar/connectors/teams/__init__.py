"""Microsoft Teams, by the address of a workflow."""
