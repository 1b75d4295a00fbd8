"""User operations, one module each: read a module to know who is called when."""
