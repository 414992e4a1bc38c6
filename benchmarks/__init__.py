"""Measurements of Soar against itself and the raw limit of the database, in one run (``make bench``)."""
