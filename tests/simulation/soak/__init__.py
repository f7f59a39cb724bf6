"""The soak of payments: thousands of them over every channel with faults, then an audit of all books."""
