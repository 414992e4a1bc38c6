"""A draft tried on the alerts of the past (response-playbooks.md 30): no provider is asked, nothing is sent."""
