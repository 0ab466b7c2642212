"""Named scenarios: a file comes in, and everything that is said and kept about it is as promised."""
