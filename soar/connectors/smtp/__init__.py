"""E-mail, handed in to a mail server by SMTP."""
