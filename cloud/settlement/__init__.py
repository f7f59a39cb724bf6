"""Moving out in one step: final usage, prorated fees, what is owed, the deposit, what goes back."""
