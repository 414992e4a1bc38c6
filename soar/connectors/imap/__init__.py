"""A mailbox that is read by IMAP."""
