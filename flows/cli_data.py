"""`fleetcast ingest`: logs into the store, and what came of every file."""

import argparse

from data.errors import UserError
from flows.ingest import IngestRequest, ingest, summary_lines
from flows.progress import progress_bar


def run_ingest(arguments: argparse.Namespace) -> None:
    """Ingest, print a line for each file, and fail after the others where a file was refused."""
    request = IngestRequest(
        logs=tuple(arguments.logs),
        store=arguments.store,
        format=arguments.format,
        mapping=arguments.mapping,
        label=arguments.label,
        start=arguments.start,
        max_rejected_share=arguments.max_rejected,
    )
    if arguments.prefect:
        from flows.tracked import ingest_tracked

        summary = ingest_tracked(request)
    else:
        with progress_bar("ingest") as report:
            summary = ingest(request, report)
    print("\n".join(summary_lines(summary)))
    refused = [file for file in summary.files if file.status == "refused"]
    if refused:
        raise UserError(" ".join(file.why for file in refused))
