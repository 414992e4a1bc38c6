"""Cases of other products, as their exports and APIs give them."""
