"""What a technician types: `gatehouse edge ...`."""
