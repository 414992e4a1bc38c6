"""TAXII 2.1: a collection of STIX 2.1 indicators, read page by page as a feed."""
