"""The signed batch, its receipt and the downlink bundle: bytes to values and back."""
