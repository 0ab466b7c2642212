"""kill -9 between any two steps, then another run: nothing lost, nothing twice."""
