"""The worker processes that Beam starts on this machine: one that is gone ends the run.

Beam (2.77) waits for ever for the answer of a process that was killed. So they are started here, and watched: what is
registered for the environment of `multi_processing` takes the place of Beam's own, which hides them behind a shell too.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.portability.fn_api_runner.worker_handlers import GrpcWorkerHandler, WorkerHandler
from apache_beam.runners.portability.local_job_service import BeamFnLoggingServicer
from apache_beam.utils.thread_pool_executor import shared_unbounded_instance
from google.protobuf import json_format, text_format

from bert.pipeline.errors import StageError

SECONDS_BETWEEN_LOOKS = 0.2
FEWER_WORKERS = (
    "dvc repro: it goes on. Where memory is short, with one worker: BERT_BEAM_OPTIONS=--direct_running_mode=in_memory"
)


class _Crew:
    """The worker processes of one run, and why it cannot go on."""

    def __init__(self) -> None:
        self.workers: list[_LocalWorker] = []
        self._lock = threading.Lock()
        self.error: StageError | None = None

    def join(self, worker: _LocalWorker) -> None:
        with self._lock:
            self.workers.append(worker)
            if self.error:
                worker.kill()

    def lose(self, status: int) -> None:
        """A process has ended before its time, with this status: the others are ended too."""
        with self._lock:
            self.error = self.error or _gone(status)
            for worker in self.workers:
                worker.kill()


_crew = _Crew()


@contextmanager
def watched_workers() -> Iterator[None]:
    """For one run of a pipeline: raises StageError, in place of what Beam makes of it, if a worker process is gone."""
    global _crew
    crew = _crew = _Crew()
    told = threading.excepthook

    def tell(failure: threading.ExceptHookArgs) -> None:
        # Beam's threads print that they have lost a process; that is told once, and in words.
        if not (crew.workers and failure.exc_type is grpc.RpcError):
            told(failure)

    threading.excepthook = tell
    try:
        yield
    except Exception:
        if crew.error:
            raise crew.error from None
        raise
    finally:
        threading.excepthook = told


def _gone(status: int) -> StageError:
    name = next((known.name for known in signal.Signals if known == -status), f"signal {-status}")
    how = f"ended by {name}" if status < 0 else f"ended with status {status}"
    memory = ", as the kernel does to processes when memory runs out" if status == -signal.SIGKILL else ""
    return StageError(
        f"a worker process of Beam is gone ({how}{memory}); the parts that are finished are kept",
        run=FEWER_WORKERS,
    )


@WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)
class _LocalWorker(GrpcWorkerHandler):
    """One worker process. Beam calls `start_worker` and `close`, and sends work through `control_conn`."""

    def __init__(self, command: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)
        self._command = shlex.split(command.decode())
        self._closing = threading.Event()
        self._crew = _crew

    def start_worker(self) -> None:
        self._log = grpc.server(shared_unbounded_instance())
        port = self._log.add_insecure_port("localhost:0")
        beam_fn_api_pb2_grpc.add_BeamFnLoggingServicer_to_server(BeamFnLoggingServicer(), self._log)
        self._log.start()
        log = self.control_api_service_descriptor()
        log.url = f"localhost:{port}"
        environment = {
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.control_api_service_descriptor()),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(log),
            "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
            "WORKER_ID": self.worker_id,
        }
        self._process = subprocess.Popen(self._command, env=os.environ | environment)
        self._crew.join(self)
        threading.Thread(target=self._watch, name="watch-worker", daemon=True).start()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._closing.set()
        super().close()

    def stop_worker(self) -> None:
        self._process.wait()
        self._log.stop(0)

    def _watch(self) -> None:
        """When the process ends before its time, answer in its place whatever it was, or will be, asked."""
        status = self._process.wait()
        if self._closing.is_set():
            return
        self._crew.lose(status)
        while True:
            for instruction in list(self.control_conn._futures_by_id):
                if asked := self.control_conn._futures_by_id.pop(instruction, None):
                    asked.set(beam_fn_api_pb2.InstructionResponse(instruction_id=instruction, error="gone"))
            if self._closing.wait(SECONDS_BETWEEN_LOOKS):
                return
