# `make` lists what there is. Nothing needs to be installed first but Python, a C++ compiler, make and git.

PYTHON ?= python3
# Horovod's transport: gloo, mpi, nccl, or none (one process). nccl brings TensorFlow's GPU packages, EXTRAS=gpu only them.
HOROVOD ?= gloo
EXTRAS ?=
# Passed on to dvc and pytest: make repro ARGS=squad, make test ARGS="tests/documents -x".
ARGS ?=
# Processes that share the tests, see CONTRIBUTING.md; about 3 GB each.
WORKERS ?= 3

BIN := .venv/bin
DEVICE := $(if $(filter gpu,$(EXTRAS))$(filter nccl,$(HOROVOD)),gpu,cpu)
LOCK := $(if $(filter gpu,$(DEVICE)),requirements-gpu.lock,requirements.lock)
# One stamp a variant, and the set-up removes the others': asking for another variant is work, asking again is not.
READY := .venv/.ready-$(HOROVOD)-$(DEVICE)
SETUP := setup/environment.py setup/files.py setup/horovod_wheel.py setup/horovod.lock $(wildcard setup/*.patch)

PARALLEL = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Stages call `python` and `horovodrun`: those of the environment, whether it is activated or not.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# A set-up that fails half way must not leave a stamp.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

##@ Everyday

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  HOROVOD=gloo|mpi|nccl|none  EXTRAS=gpu  PYTHON=python3.11  WORKERS=3  ARGS="..."\n'

.PHONY: repro
repro: $(READY) ## run the whole pipeline, or what has changed of it
	$(BIN)/dvc repro $(ARGS)

.PHONY: test
test: $(READY) ## run all tests
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

.PHONY: test-fast
test-fast: $(READY) ## run the tests that take seconds
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow" $(ARGS)

.PHONY: check
check: $(READY) ## style and types: ruff, mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: same
same: $(READY) ## prove that results are those of another commit: make same BASE=<commit>
	$(BIN)/python .ci/same_results.py --base $(if $(BASE),$(BASE),$(error say which commit: make same BASE=<commit>))

##@ Set-up

.PHONY: environment
environment: $(READY) ## make .venv: the locked packages and Horovod

.PHONY: horovod
horovod: ## try again to install Horovod, once a compiler is there
	rm -f .venv/.ready-*
	$(MAKE) environment

.PHONY: lock
lock: $(READY) ## write the lock files from pyproject.toml (UPGRADE=1: newest versions)
	$(PYTHON) -m setup.environment lock $(if $(UPGRADE),--upgrade)

.PHONY: image
image: ## build the container image (BASE=..., HOROVOD=nccl for GPUs); never tried
	docker build --tag reproducible-bert --build-arg HOROVOD=$(HOROVOD) $(if $(BASE),--build-arg BASE=$(BASE)) .

.PHONY: clean
clean: ## remove .venv and caches of the tools; data, models and the wheel stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
	find . -path ./.git -prune -o -path ./.dvc -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# In CI an environment that lacks Horovod is never ready.
.PHONY: always
$(READY): $(LOCK) $(SETUP) $(if $(filter true,$(CI)),$(if $(wildcard .venv/.single-process),always))
	$(PYTHON) -m setup.environment install --lock $(LOCK) --horovod $(HOROVOD) --stamp $@
