"""Amazon Web Services: identities (IAM)."""
