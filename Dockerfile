# Not built yet: where it was written there was no Docker. hadolint 2.15 finds nothing in it.
#
# CPU:  make image
# GPU:  make image HOROVOD=nccl BASE=nvidia/cuda:12.9.1-devel-ubuntu24.04
#       docker run --gpus all --rm -it reproducible-bert make repro
#
# Any Debian or Ubuntu with Python 3.11 or 3.12 will do as base. Keep results with
#       --volume bert-data:/bert/data --volume bert-cache:/bert/.dvc/cache --volume bert-scratch:/bert/.scratch
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

# What the set-up needs of the system: a compiler for Horovod, make, git for DVC; horovodrun reaches other hosts through
# ssh. The Python images bring all of Python, the distributions' own lacks ensurepip. Versions are those of the base,
# whichever it is: none that could be pinned here is in all of them.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ make git openssh-client \
 && { python3 -c "import ensurepip" 2> /dev/null || apt-get install --yes --no-install-recommends python3 python3-venv; } \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /bert
# Here and not above: another transport needs no other packages of the system.
ARG HOROVOD=gloo
ENV HOROVOD=${HOROVOD}

# What the environment is made from, and nothing else: it changes with the lock files, not with every edit.
COPY Makefile pyproject.toml requirements.lock requirements-gpu.lock ./
COPY setup setup
# The environment, Horovod built in it: minutes, and most of the image.
RUN make environment && rm -rf ~/.cache

# The project, with .git: DVC's experiments are commits. .dockerignore leaves out data, cache and scratch.
COPY . .
# Git refuses folders of other users. The copy has given the files new times; make finds that nothing has changed.
RUN git config --global --add safe.directory /bert && make environment

CMD ["make", "repro"]
