"""ServiceNow: records of the Table API, their journals and attachments (servicenow.md)."""
