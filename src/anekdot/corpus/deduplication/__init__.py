"""Which documents stay: duplicates and near-duplicates, found exactly."""
