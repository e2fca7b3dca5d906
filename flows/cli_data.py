"""`fleetcast ingest`: logs into the store, and what came of every file."""

import argparse

from data.errors import UserError
from data.ingest import FileRefusedError, IngestSummary
from flows.ingest import IngestRequest, ingest, summary_lines
from flows.prefect_env import end_quietly
from flows.progress import progress_bar


def run_ingest(arguments: argparse.Namespace) -> None:
    """Ingest and print a line for each file, also where one was refused: the others are stored."""
    if arguments.rollup is not None:
        from flows.cli_scale import run_ingest_rollup

        run_ingest_rollup(arguments)
        return
    if not arguments.logs:
        raise UserError("Nothing to ingest was named; give log files or folders, or --rollup DIR.")
    request = IngestRequest(
        logs=tuple(arguments.logs),
        store=arguments.store,
        format=arguments.format,
        mapping=arguments.mapping,
        label=arguments.label,
        start=arguments.start,
        max_rejected_share=arguments.max_rejected_share,
        max_unpack_ratio=arguments.max_unpack_ratio,
        wait_s=arguments.wait_s,
    )
    try:
        summary = _ingested(request, tracked=arguments.prefect)
    except FileRefusedError as error:
        print("\n".join(summary_lines(error.summary)))
        raise
    print("\n".join(summary_lines(summary)))


def _ingested(request: IngestRequest, *, tracked: bool) -> IngestSummary:
    if tracked:
        end_quietly()
        from flows.tracked import ingest_tracked

        return ingest_tracked(request)
    with progress_bar("ingest") as report:
        return ingest(request, report)
