"""The simulated site: true protocols, true signatures, one paced clock. The demo and the tests run on it."""
