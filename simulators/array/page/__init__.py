"""The array as a page for an engineer who debugs a plugin: space, LUNs, who sees what, sessions, last calls."""
