"""Trainers of one model, each in a process of its own that bench/training.py tells to go on.

    python bench/training_peers.py PEER PRESET PREPARED ROWS.npy BATCH

PREPARED is a folder that anekdot prepare made; ROWS.npy holds the packed rows that anekdot makes
of it, [rows, T + 1], for the others. The process says how many tokens of a step carry loss once
it is warm. For each line "N" on standard input it takes N whole steps (loading, forward, loss,
backward, clipping, update), and says how many seconds they took and its peak memory in MB.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # for all alike, as anekdot train sets it

import numpy as np
import torch
from tokenizer import peak_memory
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from anekdot.corpus.shards import Shard
from anekdot.device import pick_device
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.run_folder import RunFolder
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.config import TrainingConfig
from anekdot.training.trainer import Trainer

WARM = 4  # steps
STEPS = 10_000  # of a run, by which anekdot decides whether to compile
RATE, DECAY, CLIP = 1e-3, 0.1, 1.0

Step = Callable[[], object]


class Stored(Dataset[dict[str, torch.Tensor]]):
    """Rows of ids, mapped into memory, as often as anybody asks."""

    def __init__(self, path: Path) -> None:
        self.rows = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return len(self.rows) * 1000

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        row = torch.from_numpy(self.rows[number % len(self.rows)].astype(np.int64))
        return {"input_ids": row[:-1], "labels": row[:-1], "targets": row[1:]}


def loader(path: Path, batch: int, device: torch.device) -> Iterator[list[torch.Tensor]]:
    """Yields ids and targets."""
    for rows in DataLoader(Stored(path), batch_size=batch, pin_memory=device.type == "cuda"):
        yield [rows[name].to(device, non_blocking=True) for name in ("input_ids", "targets")]


def plain_loop(
    model: Any,
    forward: Callable[[torch.Tensor], torch.Tensor],
    rows: Path,
    batch: int,
    *,
    bf16: bool,
) -> Step:
    """Returns a step of the loop that tutorials show."""
    device = pick_device()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    batches = loader(rows, batch, device)

    def step() -> None:
        ids, targets = next(batches)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = forward(ids)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()

    return step


def anekdot(
    preset: str, prepared: Path, path: Path, batch: int, **fields: Any
) -> tuple[Step, Trainer]:
    """What ``anekdot train`` does in each step, with what it decides by itself."""
    settings: dict[str, Any] = {
        "steps": STEPS, "batch_size": batch, "rows": "packed", "learning_rate": RATE,
        "warmup_steps": 0, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": DECAY,
        "gradient_clip": CLIP,
    }  # fmt: skip
    tokenizer = Tokenizer.load(prepared / "tokenizer.json")
    trainer = Trainer(
        RunFolder(path.parent / f"run-{os.getpid()}"),
        ModelConfig(
            vocab_size=tokenizer.vocab_size,
            context_length=np.load(path, mmap_mode="r").shape[1] - 1,
            **PRESETS[preset],
        ),
        TrainingConfig(**settings | fields),
        tokenizer=tokenizer,
        train_shard=Shard.open(prepared, "train"),
        validation_shard=Shard.open(prepared, "validation"),
    )

    def step() -> None:
        trainer._train_step(trainer.batches.batch(trainer.state.step))
        if len(trainer.state.unrecorded) == 10:  # as the loop does
            list(trainer.recorder.records(trainer.state))

    return step, trainer


def transformers(model: ModelConfig, rows: Path, batch: int, tell: Callable[[], int]) -> None:
    """Trainer: it calls back after each step, and waits there for the next order."""
    from transformers import (
        LlamaConfig,
        LlamaForCausalLM,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=model.vocab_size,
            hidden_size=model.hidden_dim,
            intermediate_size=model.intermediate_dim,
            num_hidden_layers=model.n_layer,
            num_attention_heads=model.n_head,
            num_key_value_heads=model.n_kv_head,
            max_position_embeddings=model.context_length,
            tie_word_embeddings=model.tie_embeddings,
            use_cache=False,
        )
    )

    class Orders(TrainerCallback):  # type: ignore[misc]
        left = WARM

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.left -= 1
            if not self.left:
                self.left = tell()

    with TemporaryDirectory(dir=rows.parent) as folder:
        Trainer(
            llama,
            TrainingArguments(
                folder,
                bf16=True,
                use_cpu=pick_device().type == "cpu",
                per_device_train_batch_size=batch,
                max_steps=100 * STEPS,
                learning_rate=RATE,
                weight_decay=DECAY,
                max_grad_norm=CLIP,
                logging_strategy="no",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
            ),
            train_dataset=Stored(rows),
            callbacks=[Orders()],
        ).train()


def litgpt(model: ModelConfig, rows: Path, batch: int) -> Step:
    """Its model, compiled, in the plain loop: what Fabric's bf16-mixed does is autocast."""
    from litgpt.config import Config
    from litgpt.model import GPT

    gpt = GPT(
        Config(
            block_size=model.context_length,
            vocab_size=model.vocab_size,
            padded_vocab_size=model.vocab_size,
            n_layer=model.n_layer,
            n_head=model.n_head,
            n_query_groups=model.n_kv_head,
            n_embd=model.hidden_dim,
            head_size=model.head_dim,
            intermediate_size=model.intermediate_dim,
            mlp_class_name="LLaMAMLP",
            norm_class_name="RMSNorm",
            bias=False,
            rotary_percentage=1.0,
            parallel_residual=False,
        )
    ).to(pick_device())
    gpt.lm_head.weight = gpt.transformer.wte.weight
    return plain_loop(gpt, torch.compile(gpt), rows, batch, bf16=True)


def x_transformers(model: ModelConfig, rows: Path, batch: int, *, bf16: bool) -> Step:
    """The same architecture; on a CPU its own attention is faster than its attn_flash."""
    from x_transformers import Decoder, TransformerWrapper

    wrapper = TransformerWrapper(
        num_tokens=model.vocab_size,
        max_seq_len=model.context_length,
        use_abs_pos_emb=False,
        tie_embedding=True,
        attn_layers=Decoder(
            dim=model.hidden_dim,
            depth=model.n_layer,
            heads=model.n_head,
            attn_dim_head=model.head_dim,
            attn_kv_heads=model.n_kv_head,
            attn_flash=pick_device().type == "cuda",
            alibi_pos_bias=True,
            ff_glu=True,
            ff_swish=True,
            ff_no_bias=True,
            ff_mult=model.intermediate_dim / model.hidden_dim,
            use_rmsnorm=True,
        ),
    ).to(pick_device())
    return plain_loop(wrapper, wrapper, rows, batch, bf16=bf16)


def ceiling(model: ModelConfig, batch: int, dtype: torch.dtype) -> Step:
    """The products of a step's linear layers and nothing else, at these shapes."""
    kv = model.n_kv_head * model.head_dim
    layer = [
        (model.hidden_dim, model.hidden_dim),
        (model.hidden_dim, kv),
        (model.hidden_dim, kv),
        (model.hidden_dim, model.hidden_dim),
        (model.hidden_dim, model.intermediate_dim),
        (model.hidden_dim, model.intermediate_dim),
        (model.intermediate_dim, model.hidden_dim),
    ]
    shapes = [*layer * model.n_layer, (model.hidden_dim, model.vocab_size)]
    device, tokens = pick_device(), batch * model.context_length

    def random(*size: int) -> torch.Tensor:
        return torch.randn(*size, device=device, dtype=dtype)

    products = {
        (n_in, n_out): [
            (random(tokens, n_in), random(n_out, n_in), random(tokens, n_out)) for _ in range(2)
        ]
        for n_in, n_out in shapes
    }

    def step() -> None:
        for shape in shapes:
            (x, weight, gradient), outs = products[shape]
            torch.mm(x, weight.T, out=outs[2])  # forward
            torch.mm(gradient, weight, out=outs[0])  # to the input
            torch.mm(gradient.T, x, out=outs[1])  # to the weight

    return step


def main(peer: str, preset: str, prepared: Path, rows: Path, batch: int) -> None:
    """Takes steps as ordered."""
    length = np.load(rows, mmap_mode="r").shape[1] - 1
    vocabulary = Tokenizer.load(prepared / "tokenizer.json").vocab_size
    model = ModelConfig(vocab_size=vocabulary, context_length=length, **PRESETS[preset])
    device, started = pick_device(), 0.0

    def synchronize() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    def tell() -> int:
        """Says how it went, and returns the next order."""
        nonlocal started
        synchronize()
        now = time.perf_counter()
        held = torch.cuda.max_memory_allocated() / 1e6 if device.type == "cuda" else peak_memory()
        print(now - started, held, flush=True)
        order = sys.stdin.readline()
        if not order:
            os._exit(0)
        started = time.perf_counter()
        return int(order)

    if peer == "transformers":
        print(batch * (length - 1), flush=True)
        transformers(model, rows, batch, tell)
        raise SystemExit("Trainer came to its end.")
    documents = peer == "anekdot, a document a row"
    if peer.startswith("anekdot"):
        fields: dict[str, Any] = {"rows": "documents"} if documents else {}
        if peer == "anekdot fp32":
            fields["precision"] = "fp32"
        if peer == "anekdot, 300 steps":  # too short a run to be compiled
            fields["steps"] = 300
        step, run = anekdot(preset, prepared, rows, batch, **fields)
        tokens = sum(int((run.batches.batch(n)[1] >= 0).sum()) for n in range(100)) / 100
        print(tokens, flush=True)
    else:
        print(batch * length, flush=True)
        step = {
            "litgpt": lambda: litgpt(model, rows, batch),
            "x-transformers fp32": lambda: x_transformers(model, rows, batch, bf16=False),
            "x-transformers bf16": lambda: x_transformers(model, rows, batch, bf16=True),
            "products bf16": lambda: ceiling(model, batch, torch.bfloat16),
            "products fp32": lambda: ceiling(model, batch, torch.float32),
        }[peer]()
    order = WARM
    while True:
        for _ in range(order):
            step()
        order = tell()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
