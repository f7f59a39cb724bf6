"""A simulator of Alipay: its gateway over HTTP, with its own keys and book; written apart from the client."""
