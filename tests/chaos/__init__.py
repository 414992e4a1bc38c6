"""Kill tests of a whole portal, run by `make chaos`."""
