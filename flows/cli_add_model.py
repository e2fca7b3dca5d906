"""`fleetcast catalog add-model`: a Hugging Face config.json becomes a row of the user's own catalog."""

import argparse
import hashlib
import os
import re
import tomllib
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from data.catalog.hf_config import Stated, read_config, row_of, shape_of
from data.catalog.models import ModelShape, load_models
from data.catalog.params import params_of
from data.catalog.rows import read_toml
from data.errors import UserError
from data.text import toml_text

_HF_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def run_add_model(arguments: argparse.Namespace) -> None:
    """Print the row, or add it to the file that --to names; the file is whole or as it was."""
    path: Path = arguments.config
    if not _HF_ID.fullmatch(arguments.hf_id):
        raise UserError(f"--hf-id {arguments.hf_id!r} is no Hugging Face id; write it as ORG/NAME.")
    config = read_config(path)
    stated = Stated(
        name=arguments.name or arguments.hf_id.rpartition("/")[2].lower(),
        hf_id=arguments.hf_id,
        checked=datetime.now(UTC).date(),
        source=f"{path.name} of {arguments.hf_id}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}",
        params_total=arguments.params_total,
        params_active=arguments.params_active,
    )
    shape = shape_of(config, stated, str(path))
    text = row_text(shape)
    if arguments.to is None:
        print(text, end="")
        return
    _add(arguments.to, shape.name, text, replace=arguments.replace)
    print(f"{shape.name} stands in {arguments.to}: {_counts(shape)}.")
    print(f'Name the file in plan.toml ([catalog] models = ["{arguments.to.name}"]), or give it with --models.')


def row_text(shape: ModelShape) -> str:
    """Return the shape as a table of a catalog file."""
    lines = [f"[{toml_text(shape.name)}]", *(f"{key} = {_value(value)}" for key, value in row_of(shape).items())]
    return "\n".join(lines) + "\n"


def _add(path: Path, name: str, text: str, *, replace: bool) -> None:
    """Write the file with the row beside the old one, read it as a plan would, and only then exchange them."""
    rows = read_toml(path) if path.exists() else {}
    before = path.read_text("utf-8") if path.exists() else ""
    if name in rows:
        if not replace:
            raise UserError(f"{path} has a row [{name}] already; give another --name, or --replace.")
        before = _without(before, name, path)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(f"{before.rstrip()}\n\n{text}".lstrip(), "utf-8")
        load_models([part])
        os.replace(part, path)
    except OSError as err:
        raise UserError(f"Cannot write {path}: {err.strerror or err}; choose another --to.") from err
    finally:
        part.unlink(missing_ok=True)


def _without(text: str, name: str, path: Path) -> str:
    """Return the file without a row; the other rows, and what is written about them, stay as they are."""
    lines = text.splitlines(keepends=True)
    starts = [i for i, line in enumerate(lines) if line.lstrip().startswith("[")] + [len(lines)]
    for start, end in pairwise(starts):
        if name in _table(lines[start]):
            return "".join(lines[:start] + lines[end:])
    raise UserError(f"{path} states the row [{name}] in a way that cannot be replaced; take it out by hand.")


def _table(line: str) -> dict[str, Any]:
    try:
        return tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return {}


def _counts(shape: ModelShape) -> str:
    makes = params_of(shape)
    total = f"{shape.params_total / 1e9:,.2f} B parameters, {shape.params_active / 1e9:,.2f} B of them active"
    if shape.params_total == makes or (shape.linear_layers and not shape.linear_value_heads):
        return total
    return f"{total} (the shape makes {makes / 1e9:,.2f} B, norms and biases left out)"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return "[" + ", ".join(toml_text(str(each)) for each in value) + "]"
    return toml_text(str(value))
