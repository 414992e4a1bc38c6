"""Okta: what can be done to its users."""
