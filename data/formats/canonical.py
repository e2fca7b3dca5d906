"""Our own column names, as the synthetic generator and careful users write them: no mapping needed."""

from collections.abc import Mapping

import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import UserError
from data.formats.contract import CANONICAL_FIELDS, Options, RequestSelect, no_options
from data.formats.sample import Sample

name = "canonical"
description = "CSV, JSON lines or Parquet with our own column names (arrived_utc, prompt_tok, output_tok, ...)"
recognised = "columns arrived_utc, prompt_tok and output_tok"
options_key = no_options
columns: Mapping[str, str] = {column: column for column in CANONICAL_FIELDS}

_LABEL = "source_label"


def sniff(sample: Sample) -> bool:
    """Return whether the three required columns are there under our names."""
    return sample.has("arrived_utc", "prompt_tok", "output_tok")


def select(sample: Sample, _: Options) -> RequestSelect:
    """Return every canonical column that the file has, as it is; token counts may be missing.

    In JSON lines any field may be missing from some lines, so the first ones do not say what there is.
    """
    present = [c for c in CANONICAL_FIELDS if sample.kind in {"jsonl", "json"} or c in sample.columns]
    as_text = {"tags"} if sample.kind == "parquet" and "tags" in sample.types else set()
    return RequestSelect(
        reads={column: column for column in present},
        fields={c: f"CAST(to_json({c}) AS VARCHAR)" if c in as_text else c for c in present},
    )


def own_label(sample: Sample) -> str | None:
    """Return the one source label that a Parquet file states; raises UserError where it states several."""
    if sample.kind != "parquet" or _LABEL not in sample.columns:
        return None
    labels: set[str] = set()
    with pq.ParquetFile(sample.path) as file:
        for batch in file.iter_batches(columns=[_LABEL]):
            labels |= {str(value) for value in pc.unique(batch.column(0)).to_pylist() if value is not None}
            if len(labels) > 1:
                some = " and ".join(sorted(labels)[:2])
                raise UserError(f"{sample.path} holds several source labels ({some}); split it, or give --label.")
    return labels.pop() if labels else None
