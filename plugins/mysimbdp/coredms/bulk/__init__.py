"""The bulk route: SSTables written beside the node, which imports them whole."""
