"""Payloads in the shape of the products, filled in with made-up facts. Pure: a scene in, a document out."""
