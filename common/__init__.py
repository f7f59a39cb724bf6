"""The pure core shared by gateway and cloud: values in, values out; no I/O, no clock, no framework."""
