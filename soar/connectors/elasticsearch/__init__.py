"""Detection alerts of Elastic Security, read from Elasticsearch (ingest-and-api.md 2, connectors.md 4)."""
