"""Tests over every page of the portal at once."""
