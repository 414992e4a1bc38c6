"""Reading mail messages (RFC 5322, MIME) that somebody may have made to break whoever reads them. Pure."""
