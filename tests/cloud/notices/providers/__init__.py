"""The clients of those who carry messages, one by one; what they share stands in the contract suite."""
