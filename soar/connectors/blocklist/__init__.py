"""The built-in block list: its changes, its page, and the feeds that firewalls pull."""
