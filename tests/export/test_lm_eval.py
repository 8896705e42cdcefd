"""lm-evaluation-harness on an exported folder finds what ``anekdot evaluate`` finds."""

import json

import pytest

from anekdot.bundle import PRETRAINED
from anekdot.export import export
from anekdot.pipeline import evaluate
from tests.support.texts import make_texts

lm_eval = pytest.importorskip("lm_eval")

TASK = """
task: jokes
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}<|end|>"
metric_list: [{{metric: bits_per_byte}}]
"""


@pytest.mark.slow
def test_the_harness_finds_the_same_likelihood(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager
    from transformers import AutoModelForCausalLM, AutoTokenizer

    texts, folder, file = make_texts(60), tmp_path / "hf", tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    (tmp_path / "jokes.yaml").write_text(TASK.format(file=file), "utf-8")
    export("pretrained", "transformers", folder)
    model = HFLM(
        pretrained=AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True),
        # the task's texts name the end token; the harness places the begin token itself
        tokenizer=AutoTokenizer.from_pretrained(
            folder, trust_remote_code=True, split_special_tokens=False
        ),
        add_bos_token=False,
        max_length=128,
        batch_size=8,
    )
    found = lm_eval.simple_evaluate(
        model=model,
        tasks=["jokes"],
        task_manager=TaskManager(include_path=str(tmp_path)),
        log_samples=True,
        bootstrap_iters=0,
    )
    nats = -sum(sample["resps"][0][0] for sample in found["samples"]["jokes"])
    ours = evaluate(PRETRAINED, texts)
    assert abs(nats / ours.tokens - ours.loss) <= 1e-4
