"""Settings of the API: the REST framework and the schema.

``soar.settings`` takes all of them over.
"""

from __future__ import annotations

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "soar.accounts.authentication.TokenAuthentication",
        "soar.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "soar.problems.handler",
    "DEFAULT_THROTTLE_CLASSES": ["soar.accounts.throttling.TokenThrottle"],
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "iso-8601",
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a parameter like any other
}
API_TEXT = """Alerts, incidents, timelines and playbooks.

**Tokens.** `Authorization: Bearer <token>`; a logged-in browser may call too. What you may not see is 404, what you see
but may not change is 403.

**Lists** answer `{"next", "previous", "results"}`: follow `next` until it is null. `page_size` is 1 to 200. A parameter
or field that is not known is 400. `fields` leaves out all other keys.

**Lost edits.** Send the `ETag` you read as `If-Match`: 412 means that somebody changed it since, and nothing was saved.

**Safe retries.** Send an `Idempotency-Key` with a POST: for 24 hours the same call gives the same answer and does
nothing twice; another body under the key is 409.

**Limits.** A token may make 100 calls a second unless set otherwise; `RateLimit-Limit`, `RateLimit-Remaining` and
`RateLimit-Reset` tell of it, and a 429 says in `Retry-After` how long to wait.

**Errors** are `application/problem+json` (RFC 9457): `status`, `title`, `detail`, often `code`, and `errors` with
`field` and `message`.
"""
SPECTACULAR_SETTINGS = {
    "TITLE": "Soar",
    "DESCRIPTION": API_TEXT,
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "cases.api.schema.add_ingest",
        "cases.api.schema_finish.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AlertStatusEnum": "cases.api.fields.ALERT_STATUS",
        "IncidentStatusEnum": "cases.api.fields.INCIDENT_STATUS",
        "SeverityEnum": "cases.api.fields.SEVERITY",
        "DeterminationEnum": "cases.api.fields.DETERMINATION",
        "VerdictEnum": "cases.api.fields.VERDICT",
        "BlockTypeEnum": "soar.connectors.blocklist.values.BLOCKABLE",
        "ObservableTypeEnum": "cases.choices.OBSERVABLE_TYPES",
        "TlpEnum": "cases.api.fields.TLP",
        "TaskStatusEnum": "cases.api.task_shapes.TASK_STATUS",
        "IncidentKindEnum": "cases.api.task_shapes.KIND",
        "ExportStatusEnum": "cases.api.export_shapes.EXPORT_STATUS",
        "JobStatusEnum": "cases.api.shapes.JOB_STATUS",
        "RunStatusEnum": "playbooks.api.shapes.RUN_STATUS",
        "StepStatusEnum": "playbooks.api.shapes.STEP_STATUS",
        "ResponseStatusEnum": "playbooks.api.response_shapes.RESPONSE_STATUS",
        "TargetKindEnum": "playbooks.api.material_shapes.TARGET_KINDS",
        "ApprovalStatusEnum": "playbooks.api.response_shapes.APPROVAL_STATUS",
        "ClockStateEnum": "cases.sla.states.STATES",
        "CustomFieldKindEnum": "cases.custom_fields.kinds.KIND_WORDS",
        "IncidentMoveEnum": "cases.api.move_shapes.MOVES",
        "TellingModeEnum": "cases.notifications.reasons.MODES",
        "WatchStateEnum": "cases.actions.notifications.STATES",
        "PlaybookTriggerEnum": "playbooks.api.shapes.TRIGGER",
        "RunTriggerEnum": "playbooks.api.shapes.STARTED_BY",
    },
}
