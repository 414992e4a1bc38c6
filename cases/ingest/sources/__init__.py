"""One module per kind of source; each is pure: a payload in, a NormalAlert out, never an exception."""
