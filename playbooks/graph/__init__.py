"""The graph of a response playbook: its shape, rules, conditions, walk and drawing. Pure: no database, no network."""
