"""The commit sweep: every use case that moves money, with a fault at each of its commits."""
