# make joke    install the core and tell an anecdote: make joke PROMPT="Студент"
# make test    install what the suite needs and run it
# make test-cluster    install Ray too and run what needs it
# make test-export  run exported models in the programs that they are exported for
# make check   formatting, lint, types, imports, spelling
# make attack      attack it in every way that is known, and count what it survives (hours; ATTACK=...)
# make audit       lock the packages by their hashes, check them, write their licences down
# make dist        build wheel, source archive and bill of materials into dist/, each twice the same
# make bench CORPUS=texts.jsonl.gz         what is fast here beside its peers, into bench/RESULTS.md (three hours)
# make pretrained CORPUS=texts.jsonl.gz    train and ship the pretrained bundle (an hour and a half)

PYTHON ?= python3
PROMPT ?= Студент МФТИ на экзамене
VENV := .venv
BIN := $(VENV)/bin
override PROMPT := $(value PROMPT)
export PROMPT
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: joke setup test test-cluster test-export check attack audit dist bench pretrained clean

joke: $(VENV)/.core
	@$(BIN)/python -m anekdot generate "$$PROMPT"

setup: $(VENV)/.dev

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not cluster"

test-cluster: $(VENV)/.cluster
	$(BIN)/python -m pytest -m cluster

test-export: export HF_HUB_OFFLINE := 1
test-export: export OMP_NUM_THREADS := 1
test-export: build/test-export/.engines build/test-export-4/.engines
	ANEKDOT_LLAMA_CPP=$(CURDIR)/build/test-export/package/bins/linux-x64 \
		ANEKDOT_NODE_MODULES=$(CURDIR)/build/test-export/node_modules \
		build/test-export/bin/python -m pytest -n auto --dist loadfile tests/export
	build/test-export-4/bin/python -m pytest tests/export/test_transformers_engine.py \
		tests/export/test_lm_eval.py

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

attack: $(VENV)/.dev
	$(BIN)/python -m tools.attack $(ATTACK)

audit: $(VENV)/.cluster build/audit/.pip-audit
	$(BIN)/python tools/audit.py
	$(BIN)/python tools/dependencies.py licences

dist: export SOURCE_DATE_EPOCH := $(shell git log -1 --pretty=%ct)
dist: $(VENV)/.cluster
	rm -rf dist build/dist-again
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m build --outdir build/dist-again
	diff -r dist build/dist-again
	$(BIN)/python tools/dependencies.py sbom dist/sbom.cdx.json

pretrained: $(VENV)/.dev
	$(BIN)/python -m anekdot train $(CORPUS) --out runs/pretrained --config tools/pretrained.toml
	$(BIN)/python tools/ship_pretrained.py runs/pretrained

bench: build/bench/.peers build/bench/prepared/manifest.json
	build/bench/bin/python bench/tokenizer.py $(CORPUS)
	build/bench/bin/python bench/corpus.py $(CORPUS)
	build/bench/bin/python bench/piles.py --out bench/RESULTS.md
	build/bench/bin/python bench/training.py build/bench/prepared
	build/bench/bin/python bench/attention.py

build/bench/prepared/manifest.json: $(CORPUS) | build/bench/.peers
	rm -rf build/bench/prepared
	build/bench/bin/anekdot prepare $(CORPUS) --out build/bench/prepared
	@touch $@

clean:
	rm -rf $(VENV) build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "anekdot needs Python 3.11 or later: install one (python3.11) and run make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python has no venv: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

build/bench/.peers: $(wildcard bench/*-peers.txt) bench/training-litgpt.txt bench/piles-readers.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv build/bench
	build/bench/bin/python -m pip install --quiet -r bench/tokenizer-peers.txt \
		-r bench/corpus-peers.txt -r bench/piles-peers.txt -r bench/training-peers.txt \
		--editable '.[train]'
	build/bench/bin/python -m pip install --quiet --no-deps -r bench/training-litgpt.txt \
		-r bench/piles-readers.txt
	@touch $@

build/test-export/.engines: tests/export/engines.txt pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m venv build/test-export
	build/test-export/bin/python -m pip install --quiet -r tests/export/engines.txt \
		--editable '.[train,export]'
	-cd build/test-export && npm pack --silent @node-llama-cpp/linux-x64@3.22.1 && tar xzf *.tgz
	-cd build/test-export && npm install --silent --ignore-scripts --prefix . \
		onnxruntime-web@1.30.0 @huggingface/transformers@4.3.1
	@touch $@

build/test-export-4/.engines: tests/export/engines-transformers-4.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv build/test-export-4
	PIP_CONSTRAINT= build/test-export-4/bin/python -m pip install --quiet \
		-r tests/export/engines-transformers-4.txt --editable .
	@touch $@

build/audit/.pip-audit: constraints.txt | $(BIN)/python
	$(BIN)/python -m venv build/audit
	-build/audit/bin/python -m pip install --quiet pip-audit
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.core

$(VENV)/.cluster: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable '.[dev,cluster,export]'
	@touch $@
