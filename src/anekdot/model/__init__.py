"""The decoder-only Transformer: tensors only, no files, no text.

Import ``anekdot.model.config`` and ``anekdot.model.alibi`` without torch, the rest with it.
"""
