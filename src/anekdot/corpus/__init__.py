"""From a person's files to documents, sides and shards: read, clean, deduplicate, split, store."""
