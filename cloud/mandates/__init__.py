"""Automatic deduction (委托代扣): what a payer agreed to in advance, what is announced, and what is taken by it."""
