"""Any program that takes a POST: Standard Webhooks, or a template of one's own."""
