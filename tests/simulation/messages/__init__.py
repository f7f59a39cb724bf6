"""Those who carry messages, simulated: they speak the true protocols and misbehave; nothing of the product is used."""
