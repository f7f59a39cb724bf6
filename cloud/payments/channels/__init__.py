"""Payment channels: one package per counterparty, all speaking the port of `provider`."""
