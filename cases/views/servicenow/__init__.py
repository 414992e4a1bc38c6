"""Pages of the ServiceNow sync (servicenow.md)."""
