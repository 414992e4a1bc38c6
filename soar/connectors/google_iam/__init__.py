"""Google Cloud: service accounts (IAM)."""
