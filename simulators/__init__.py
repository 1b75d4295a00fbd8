"""Simulated arrays and hypervisors: each speaks its real wire protocol and shares no code with the kit."""
