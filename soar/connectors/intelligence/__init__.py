"""What is known of an observable without asking anybody: warning lists, own lists, exceptions."""
