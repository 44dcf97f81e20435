"""Pages of HTML from the templates that lie beside the code."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_page(package: str, **values: Any) -> str:
    """`page.html.j2` of a package, its values escaped; a value that it asks for and does not get is an error."""
    environment = Environment(
        loader=PackageLoader(package, package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(**values)
