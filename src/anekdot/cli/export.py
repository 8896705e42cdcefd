"""anekdot export."""

from pathlib import Path


def export(
    bundle: str,
    /,
    *,
    to: str,
    out: Path,
    dtype: str | None = None,
    usable_context: int | None = None,
) -> None:
    """Write a model in the format of another program, and check what was written.

    Args:
        bundle: The model's folder; pretrained names the one that comes with anekdot.
        to: gguf (llama.cpp, Ollama, LM Studio), transformers, ctranslate2, onnx, or bundle:
            one .zip to give away, without the texts that it learned from.
        out: The file or folder to make.
        dtype: How the weights are stored: gguf f32, f16, bf16, q8_0 or q4_0; transformers f32
            or f16; ctranslate2 and onnx f32 or int8; bundle int8, f16 or f32. The first
            unless given.
        usable_context: The longest text in tokens that other programs should allow; twice the
            trained length, or 1,024 if that is more, unless given.
    """
    from anekdot.export import export as write

    exported = write(bundle, to, out, dtype=dtype, usable_context=usable_context)
    print(f"{exported.path}: {exported.checked}.\n")
    print(*exported.commands, sep="\n")
