"""What the products of Microsoft have in common: their sign-in and their errors."""
