"""Palo Alto PAN-OS: addresses are tagged, and a dynamic address group blocks what bears the tag."""
