"""The command line: reads options, calls the kit, prints. Nothing is decided here."""
