"""What an admin says of where a source's JSON has things, over what its kind reads by itself. Pure."""
