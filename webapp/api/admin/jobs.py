"""GET /v1/jobs: the background jobs, for admins; and trying a failed one again."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from state.jobs import JOB_ID, Board
from state.moments import moment
from webapp.access.rights import needs, record
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem, invalid
from webapp.schemas.jobs import ApiFailedJob, ApiJobs, ApiRetry
from webapp.store import store

api = Blueprint("jobs", __name__, url_prefix="/v1")


@api.get("/jobs")
@operation("Read the background jobs", {200: ApiJobs})
@needs("admin")
def read_jobs() -> Response:
    """Queue, failures and what is outstanding, a few seconds old."""
    inputs.query()
    board = store().jobs.read()
    return as_json(_told(board) if board else ApiJobs(None))


@api.post("/jobs/<job_id>/retry")
@operation(
    "Try a failed background job again",
    {202: ApiRetry},
    {404: "No such job has failed.", 409: "`reason`: not_ours (Earshot knows no such job) or too_many (retries wait)."},
)
@needs("admin")
def retry_job(job_id: str) -> Response:
    """A worker asks for it again within seconds."""
    inputs.query()
    if not re.fullmatch(JOB_ID, job_id):
        raise invalid("job_id", "must be the id of a failed job")
    board = store().jobs.read()
    failed = next((one for one in board.failed if one.id == job_id), None) if board else None
    if failed is None:
        raise Problem(404, "unknown_job", _("No such job has failed lately."))
    if not failed.task:
        raise Problem(409, "not_ours", _("This is none of Earshot's jobs, so nobody tries it again."))
    record("retry-job", f"{failed.task} {failed.argument}")
    if not store().jobs.wish(job_id):
        raise Problem(409, "too_many", _("Too many retries wait already."))
    return as_json(ApiRetry(job_id), 202)


def _told(board: Board) -> ApiJobs:
    return ApiJobs(
        at=moment(board.at_ms),
        workers=board.workers,
        queued=board.queued,
        running=board.running,
        failed_count=board.failed_count,
        failed=[
            ApiFailedJob(one.id, one.task, one.argument, moment(one.failed_at_ms), one.reason) for one in board.failed
        ],
        outstanding=board.outstanding,
        due={task: moment(at_ms) for task, at_ms in board.due.items()},
    )
