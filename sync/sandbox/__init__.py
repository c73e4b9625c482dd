"""A local server that behaves as the Nexudus API does, with faults on demand; it imports nothing else of `sync`."""
