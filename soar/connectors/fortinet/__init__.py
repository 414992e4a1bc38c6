"""Fortinet FortiGate: addresses and names become objects of an address group that policies block."""
