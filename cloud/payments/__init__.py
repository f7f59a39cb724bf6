"""Payments: intents, attempts, notifications, receipts and the cash desk; money in, booked once, to the fen."""
