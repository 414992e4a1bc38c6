"""What the first page shows: figures over all cases (casework.md 18)."""
