"""Files into documents, documents into shards."""
