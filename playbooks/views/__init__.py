"""Pages of playbooks and runs: one verb, one function, one URL."""
