"""What the simulated counterparties of form-speaking channels share; nothing of the product is used here."""
