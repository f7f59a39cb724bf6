"""Sealed batches on their way to the cloud, and the gateway's own key. Nothing ever waits for the uplink."""
