"""What a run says of itself: records, curves, samples, the time left, and a diagnosis."""
