"""Everything a run needs to go on to the bit, on disk."""
