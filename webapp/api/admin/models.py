"""/v1/models: versions of the attention model, with their figures, and taking one back. For admins."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from state.attention_models import ModelChanged, ModelVersion
from state.moments import moment
from webapp.access.rights import needs, record_act, require
from webapp.api.documents.openapi import JSON_BODY, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.language import _
from webapp.http.problems import Problem
from webapp.schemas.models import ApiModel, ApiModels, TakenBack
from webapp.store import store
from workers.insight import models

api = Blueprint("models", __name__, url_prefix="/v1")


@api.get("/models")
@operation("Read the versions of the attention model", {200: ApiModels})
@needs("admin")
def read_models() -> Response:
    """How calls are weighed: the lessons from supervisors' judgements, and how well they judge unseen calls."""
    inputs.query()
    return _told()


@api.put("/models/current")
@operation(
    "Take a version of the attention model back",
    {200: ApiModels},
    {
        404: "No such version is kept.",
        409: "`reason`: changed (somebody else has made a version).",
        **JSON_BODY,
    },
    body=TakenBack,
)
@needs("admin")
def take_back() -> Response:
    """The weights of an earlier version apply again to calls that begin, as a new version; norms stay as they are.

    Calls in progress keep the version they began with, and scores of the past do not change.
    """
    inputs.query()
    asked: TakenBack = inputs.json_body(TakenBack)
    here = store().attention_models
    current = here.version()
    wanted, now = here.get(asked.version), here.get(current)
    if wanted is None and asked.version:
        raise Problem(404, "unknown_version", _("Version {version} is not kept.", version=asked.version))
    weights = models.of(wanted)
    content = msgspec.structs.replace(weights, norms=models.of(now).norms)
    figures = bytes(now.figures) if now is not None else b"[]"
    record_act("model", f"version {current + 1} with the weights of {asked.version}")
    try:
        here.save(current, "taken back", models.encode(content), figures, require("admin").who)
    except ModelChanged:
        raise Problem(409, "changed", _("There is a newer version. Look again.")) from None
    return _told()


def _told() -> Response:
    here = store().attention_models
    look = here.look()
    body = ApiModels(
        here.version(),
        [_version(one) for one in here.all()],
        moment(look.at_ms) if look is not None else None,
        models.decode_lessons(look.figures) if look is not None else [],
    )
    return as_json(body)


def _version(one: ModelVersion) -> ApiModel:
    model = models.of(one)
    return ApiModel(
        one.version,
        one.after,
        moment(one.made_at_ms),
        one.origin,
        one.by,
        models.decode_lessons(one.figures),
        sorted(model.queues),
        model.norms,
    )
