"""Pages of cases: one verb, one function, one URL."""
