"""What a node can do: one executor for what acts on objects, one for what changes the case, one for what tells."""
