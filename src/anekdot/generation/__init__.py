"""From a prompt to a whole text. Nothing but ``torch_engine`` imports torch."""
