"""The sync and billing service: accounts, tariffs, bills, payments and the book behind them."""
