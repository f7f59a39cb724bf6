"""From stored batches to usage: compressed blocks, corrected readings, segments that tile time, completeness."""
