"""The tests of Gatehouse, and the simulated site they and the demo run on."""
