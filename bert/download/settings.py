"""Parameters of the download stage."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from bert.pipeline.params import Section


class Source(Section):
    """A file, or a local folder of files.

    url: `https://`, `http://`, `file://`, a plain path, or `package://<distribution>/<path in it>` for a file that an
        installed Python package ships.
    sha256: checked where given. DVC does not see a file change behind a path in params, so give it for paths.
    name: the file's name in the stage's folder (default: the url's last part); of a folder, the sub-folder.
    """

    url: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    name: Annotated[str, Field(pattern=r"^\w[\w.+ -]*(/\w[\w.+ -]*)*$")] | None = None


class DownloadSettings(Section):
    """How to download: none of this changes a byte, so no stage lists it in its `params`.

    Other keys of the section are sources.
    """

    model_config = ConfigDict(extra="ignore")

    contact: Annotated[str, Field(pattern=r"^[ -~]+$")] | None
    connections: Annotated[int, Field(ge=1, le=16)]
    retries: Annotated[int, Field(ge=0)]
    timeout_seconds: Annotated[float, Field(gt=0)]
