"""A ServiceNow instance on this machine: Table API, attachments, import sets, OAuth, with the traps of the real one."""
