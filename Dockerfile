# CPU:  make image
# GPU:  make image HOROVOD=nccl BASE=nvidia/cuda:12.9.1-devel-ubuntu24.04
#       docker run --gpus all --rm -it reproducible-bert make repro
#
# Any Debian or Ubuntu with Python 3.11 or 3.12 will do as base. Keep results with
#       --volume bert-data:/bert/data --volume bert-cache:/bert/.dvc/cache --volume bert-scratch:/bert/.scratch
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

# horovodrun reaches other hosts through ssh. The Python images bring all of Python, the distributions' own lacks ensurepip.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ make git openssh-client \
 && { python3 -c "import ensurepip" 2> /dev/null || apt-get install --yes --no-install-recommends python3 python3-venv; } \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /bert
ARG HOROVOD=gloo
ENV HOROVOD=${HOROVOD}

# The environment is its own layer: it changes with the lock file, not with every edit.
COPY Makefile pyproject.toml requirements.lock requirements-gpu.lock ./
COPY setup setup
RUN make environment && rm -rf ~/.cache

COPY . .
# The copy has given the files new times; this finds that nothing has changed.
RUN git config --global --add safe.directory /bert && make environment

CMD ["make", "repro"]
