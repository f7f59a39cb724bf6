"""Tariffs as data: the document, its faults, its revisions, and the step table it compiles to."""
