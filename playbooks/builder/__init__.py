"""The form beside the drawing: from a node to fields, and from what was sent to a node. Knows no database."""
