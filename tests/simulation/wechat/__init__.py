"""A simulator of WeChat Pay: the true APIv3 over HTTP, with its own keys and book; written apart from the client."""
