"""What examples are made of: arguments without dimension, which a world resolves inside a subject's limits."""
