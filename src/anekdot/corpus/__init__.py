"""From a person's files to documents, splits and shards: read, clean, deduplicate, split, store."""
