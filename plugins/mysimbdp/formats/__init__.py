"""Readers of the file formats customers send: streaming, bounded memory, every fault with its line."""
