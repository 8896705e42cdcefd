"""From a prompt to a whole text. Only ``torch_engine`` imports torch."""
