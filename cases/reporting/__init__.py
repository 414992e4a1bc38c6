"""Taking an incident out of the portal: its document, the formats made of it, the jobs (casework.md 16)."""
