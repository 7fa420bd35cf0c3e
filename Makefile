# The daily verbs. Each first makes .venv ready, which is done at once when nothing has changed.
# Options go in ARGS: make up ARGS="--data /srv/waihu --http 127.0.0.1:8080"

BIN := .venv/bin
ARGS ?=

help:
	@echo "make demo         the main job on this machine: 200 numbers called over SIP, about three minutes"
	@echo "make up           waihu itself, for a real trunk; stops on Ctrl-C"
	@echo "make test         check, then every test"
	@echo "make check        format, lint, types, layers; seconds"
	@echo "make dev          waihu without a switch, restarted when a source file changes"
	@echo "make test-newest  the pure parts on the newest Python of this machine"
	@echo "make simulate     10,000 hostile virtual campaigns; may take an hour"
	@echo "make chaos        2,000 calls while every part is killed at random"
	@echo "make chaos-callbacks  100,000 callbacks while senders are killed and a third of the receivers fails"
	@echo "make bench        the published figures"
	@echo "make format       mends what check says about format and imports"
	@echo "make reference    docs/reference from the routes as they are"
	@echo "make lock         requirements.lock from pyproject.toml; ARGS=--upgrade takes the newest"

ready:
	@scripts/bootstrap

demo up: ready
	$(BIN)/waihu $@ $(ARGS)

dev: ready
	$(BIN)/waihu up --data var/dev --no-switch --watch $(ARGS)

test: check
	$(BIN)/pytest $(ARGS)

check: ready
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: ready
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# The cores use no compiled library, so this is where a new Python can surprise: hashes, ordering, dataclasses.
# The rest is bound to wheels of the locked versions and is run on the Python of .venv only.
test-newest: ready
	scripts/test_newest $(ARGS)

simulate: ready
	$(BIN)/python -m tests.simulate $(ARGS)

chaos: ready
	$(BIN)/python -m tests.chaos $(ARGS)

chaos-callbacks: ready
	$(BIN)/python -m tests.chaos_callbacks $(ARGS)

bench: ready
	$(BIN)/python -m bench $(ARGS)

reference: ready
	$(BIN)/python -m docs.write_reference

# No host in it: every machine takes the packages from its own index.
lock: ready
	scripts/lock $(ARGS)

.PHONY: help ready demo up dev test check format test-newest simulate chaos chaos-callbacks bench reference lock
