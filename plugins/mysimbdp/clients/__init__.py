"""Programs of the customer's side: what picks, makes and sends data."""
