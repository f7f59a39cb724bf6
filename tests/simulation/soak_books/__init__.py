"""The soak of the books: months of a property office from a seed, with faults, and an auditor that trusts nobody."""
