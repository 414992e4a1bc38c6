"""Incidents and their ServiceNow tickets, kept equal in both directions (docs: servicenow)."""
