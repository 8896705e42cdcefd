"""Shards in, a trained bundle out. ``config`` alone can be imported without torch."""
