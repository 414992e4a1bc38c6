"""LDAP, as Active Directory speaks it: accounts disabled, enabled, unlocked, made to change their password."""
