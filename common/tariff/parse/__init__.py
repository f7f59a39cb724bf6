"""Reading of tariff documents, one file a section; each collects faults and returns values of the model."""
