"""A simulator of UnionPay 5.1.0 over HTTP, with its own authority, keys and book; written apart from the client."""
