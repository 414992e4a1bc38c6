"""MITRE ATT&CK offline: names of techniques, their tactics, and where newer ones are read from."""
