"""Is a night's input complete, and which objects is it? Decisions only, no I/O."""
