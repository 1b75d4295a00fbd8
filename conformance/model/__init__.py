"""What should be there: oracles in plain Python that a storage engineer can read aloud."""
