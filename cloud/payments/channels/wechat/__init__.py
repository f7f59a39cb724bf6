"""WeChat Pay APIv3: signatures, an asynchronous client and the trade bill file."""
