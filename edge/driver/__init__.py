"""Wires and what they answer: profile in, register values and gate events out; one owner a wire."""
