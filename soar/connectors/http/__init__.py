"""Any product with an HTTP interface. Also the example to copy for a new kind."""
