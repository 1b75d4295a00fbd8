"""What every simulator shares: a clock that can be set by hand, and a transcript of what was said."""
