"""All settings, read from the environment by typed readers (docs/operations.md lists them).

Without ``DATABASE_URL`` the embedded PostgreSQL under ``SOAR_DATA`` is used (operations.md 1).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from soar import env
from soar.keys import local_secret
from soar.lib import log_lines
from soar.paths import data_dir, socket_dir
from soar.settings_accounts import *  # noqa: F403  signing in
from soar.settings_api import *  # noqa: F403  the API and its schema
from soar.settings_wiring import *  # noqa: F403  what the floors say to each other

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_dir()
EMBEDDED = "DATABASE_URL" not in os.environ and "DATABASE_URL_FILE" not in os.environ

DEBUG = env.flag("SOAR_DEBUG", False)
SECRET_KEY = os.environ.get("SECRET_KEY") or (
    env.text("SECRET_KEY") if "SECRET_KEY_FILE" in os.environ or not EMBEDDED else local_secret("secret_key")
)
# Newest first; older keys only read. See soar/lib/crypto.py.
ENCRYPTION_KEYS = env.words("SOAR_ENCRYPTION_KEYS")
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000)
SOAR_URL = env.text("SOAR_URL", f"http://{HOST}:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.words("SOAR_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]," + HOST)
CSRF_TRUSTED_ORIGINS = env.words("SOAR_TRUSTED_ORIGINS")

WEB_WORKERS = env.number("SOAR_WEB_WORKERS", 2, least=1)
TASK_WORKERS = env.number("SOAR_TASK_WORKERS", 2, least=1)
LEASE_SECONDS = env.number("SOAR_LEASE_SECONDS", 30, least=1)
INTELLIGENCE_SECONDS = env.number("SOAR_INTELLIGENCE_SECONDS", 10, least=1)  # how long one value waits for providers
APPROVAL_SECONDS = env.number("SOAR_APPROVAL_SECONDS", 86400, least=1)  # then an approval expires
APPROVAL_RECIPIENTS = env.words("SOAR_APPROVAL_RECIPIENTS")  # e-mail addresses told where an approval names nobody
APPROVAL_CHANNELS = env.words("SOAR_APPROVAL_CHANNELS")  # and channels, by the names of their connectors
ATTEMPT_DAYS = env.number("SOAR_ATTEMPT_DAYS", 90, least=1)  # that the calls of connectors are kept
DEMO = env.flag("SOAR_DEMO", EMBEDDED)
PLAYBOOK_DIRS = [BASE_DIR / "playbooks" / "library", *env.paths("SOAR_PLAYBOOK_DIRS")]
SOURCE_RATE = env.number("SOAR_SOURCE_RATE", 3000, least=1)  # requests a second for one source
QUEUE_AT_MOST = env.number("SOAR_QUEUE_AT_MOST", 500_000)  # tasks that wait, then ingest answers 503; 0 never
DEAD_LETTER_KB = env.number("SOAR_DEAD_LETTER_KB", 1024, least=1)  # KiB kept of a delivery that cannot be read
DEAD_LETTERS_MB = env.number("SOAR_DEAD_LETTERS_MB", 32, least=1)  # MiB of them that a source may hold
DEAD_LETTERS_KEPT = env.number("SOAR_DEAD_LETTERS_KEPT", 1000, least=1)  # and how many; the oldest go first
DEAD_LETTERS_A_MINUTE = env.number("SOAR_DEAD_LETTERS_A_MINUTE", 120, least=1)  # that a source adds at most
DEAD_LETTER_DAYS = env.number("SOAR_DEAD_LETTER_DAYS", 30, least=1)  # that they are kept
SUPPRESSION_DAYS = env.number("SOAR_SUPPRESSION_DAYS", 30, least=1)  # that a rule may hold alerts back at most
GLASS_HOURS = env.number("SOAR_GLASS_HOURS", 8, least=1)  # that an admin who broke the glass manages an incident
WEBHOOK_SECONDS = env.number("SOAR_WEBHOOK_SECONDS", 15, least=1)  # that one call of an outgoing webhook may take
WEBHOOK_DAYS = env.number("SOAR_WEBHOOK_DAYS", 30, least=1)  # that deliveries of outgoing webhooks are kept
NOTIFICATION_DAYS = env.number("SOAR_NOTIFICATION_DAYS", 90, least=1)  # that lines of inboxes are kept
CHAT_INTERNAL = env.flag("SOAR_CHAT_INTERNAL", False)  # people's own chat webhooks may lie inside the network
WEBHOOK_OFF_DAYS = env.number("SOAR_WEBHOOK_OFF_DAYS", 5, least=1)  # of failures, then an endpoint is switched off
COUNTER_SECONDS = env.number("SOAR_COUNTER_SECONDS", 1)  # how often a source's counters are written; 0 at once
EVIDENCE_MB = env.number("SOAR_EVIDENCE_MB", 100, least=1)  # MiB that one file of evidence may have
DISK_LOW_MB = env.number("SOAR_DISK_LOW_MB", 5120)  # MiB free of a disk below which admins are warned; 0 never
DATABASE_FOLDER = env.text("SOAR_DATABASE_FOLDER", "")  # on the disk of a database that is not the embedded one
METRICS_TOKEN = env.text("SOAR_METRICS_TOKEN", "")  # what /metrics asks for; without one there is none
VIEW_AS_MINUTES = env.number("SOAR_VIEW_AS_MINUTES", 15, least=1)  # that one sees the portal as somebody else
AUDIT_SYSLOG_CA = env.text("SOAR_AUDIT_SYSLOG_CA", "")  # a file (PEM): who may vouch for a tls:// receiver
AUDIT_SYSLOG = env.text("SOAR_AUDIT_SYSLOG", "")  # udp://HOST:PORT, tcp:// or tls://: where the audit log is sent
AUDIT_FILE = env.text("SOAR_AUDIT_FILE", "")  # and a file that it is appended to as JSON lines
TOKEN_RATE = env.number("SOAR_TOKEN_RATE", 100, least=1)  # requests a second for one API token
EVENTS_RATE = env.number("SOAR_EVENTS_RATE", 50, least=1)  # calls of ServiceNow's webhook a second from one address
BULK_AT_MOST = env.number("SOAR_BULK_AT_MOST", 100_000, least=1)  # alerts of one action on all that a filter finds
REPORT_SECONDS = env.number("SOAR_REPORT_SECONDS", 180, least=10)  # of CPU for a PDF; by the clock four times that
REPORT_MEMORY_MB = env.number("SOAR_REPORT_MEMORY_MB", 2048, least=256)  # and how much memory it may take

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "django_q",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "template_partials",
    "csp",
    "soar",
    "soar.accounts",
    "soar.connectors",
    "cases",
    "playbooks",
]

MIDDLEWARE = [
    "soar.middleware.Timed",
    "soar.middleware.RequestId",
    "soar.middleware.FastLane",
    "soar.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "soar.middleware.VisibleText",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "soar.middleware.LoginRequired",
    "soar.accounts.middleware.SignedIn",
    "soar.middleware.TimeZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "soar.accounts.middleware.FreshLogin",
    "soar.accounts.viewing.ViewAs",
    "soar.errors.Refusals",
    "cases.views.typed.TypedWords",  # asked before the former: the last one is the first to see an error
]
# Paths whose views do their own authentication and need neither session nor CSRF (hot path of ingest).
FAST_PATHS = ("/api/v1/ingest/", "/feeds/", "/healthz", "/readyz", "/metrics")
# The same for whole addresses: those at which other products take alerts, with and without a slash at the end.
FAST_ADDRESSES = frozenset(
    address + slash
    for address in (
        "/api/v1/alert",
        "/api/alert",
        "/alerts/add",
        "/api/v2/alerts",
        "/alerts/event",
        "/api/v1/webhooks/alerts",
    )
    for slash in ("", "/")
)

ROOT_URLCONF = "soar.urls"
WSGI_APPLICATION = "soar.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
            "builtins": ["template_partials.templatetags.partials", "soar.templatetags.ui"],
            "libraries": {"i18n": "soar.templatetags.words"},
        },
    }
]


def _database() -> dict[str, Any]:
    """The one database: ``DATABASE_URL`` (any libpq URL) or the embedded cluster's private socket."""
    common = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None, "ATOMIC_REQUESTS": False}
    if EMBEDDED:
        return {**common, "NAME": "soar", "USER": "soar", "HOST": str(socket_dir())}
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given: dict[str, Any] = dict(conninfo_to_dict(env.text("DATABASE_URL")))
    except ProgrammingError:  # whose words hold the address, and with it the password
        raise ImproperlyConfigured("DATABASE_URL is no address of a PostgreSQL database.") from None
    return {
        **common,
        "NAME": given.pop("dbname", "soar"),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "OPTIONS": given,
    }


DATABASES = {"default": _database()}
DATABASES["default"].setdefault("OPTIONS", {})
# A link that is cut says nothing: both ends find out by asking, in half a minute. What was begun is then rolled
# back, and a worker connects again. Seconds; tcp_user_timeout in milliseconds.
TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
# jit costs more than it gives on short queries; a lost client must not hold locks for ever.
SESSION = ["jit=off", "idle_in_transaction_session_timeout=60000"]
if not EMBEDDED:
    for name, value in {"connect_timeout": 10, **TCP}.items():
        DATABASES["default"]["OPTIONS"].setdefault(name, value)
    SESSION += [f"tcp_{name.removeprefix('tcp_')}={value}" for name, value in TCP.items()]
DATABASES["default"]["OPTIONS"].setdefault("options", " ".join(f"-c {setting}" for setting in SESSION))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared by all processes, for the login rate limit. The table is made by a migration. Large: what is thrown out because
# others came is a limit forgotten.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "soar_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SOAR_URL.startswith("https:")
if SESSION_COOKIE_SECURE:  # a browser takes a cookie of such a name from this host over TLS only, for all paths
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-soar-session", "__Host-soar-csrf"
# Behind a proxy that ends TLS, sets X-Forwarded-Proto and lets no caller set it: plain requests are sent to https.
SECURE_SSL_REDIRECT = env.flag("SOAR_HTTPS_REDIRECT", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_SSL_REDIRECT else None
# Whether other names below this one are reached by TLS only is not for the portal to say. Words of templates are ours
# in place of Django's on purpose (TEMPLATES).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "templates.W003"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if SESSION_COOKIE_SECURE else 0
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "soar.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Tabler's ticks are data: images. Ours are drawn over them, but while soar.css is still on its way they show.
        "img-src": [SELF, "data:"],
        "base-uri": [NONE],
        "object-src": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# Run and step rows are the truth, the queue is a doorbell (reference: docs/architecture.md).
Q_CLUSTER = {
    "name": "soar",
    "broker_class": "soar.lib.broker.Broker",
    "workers": TASK_WORKERS,
    "queue_limit": 1,  # what waits here cannot be taken by another host
    "timeout": 3600,
    "retry": 3660,
    "recycle": 100_000,
    "max_rss": 400_000,
    "save_limit": -1,
    "scheduler": False,
    "guard_cycle": 1,
    "label": "Queue",
}

# Where functions may be queued from, whatever the table says.
TASK_PACKAGES = ("soar", "cases", "playbooks")
# What may take minutes. One worker of each host takes none of these, so that a response never waits for a report.
LONG_TASKS = (
    "cases.tasks.export_incident",
    "cases.tasks.pull",
    "cases.tasks.rate_again",
    "cases.tasks.replay_dead_letters",
    "cases.tasks.retain",
    "cases.tasks.servicenow_poll",
    "playbooks.tasks.backtest",
    "soar.connectors.intelligence.feeds.actions.bring",
    "soar.connectors.intelligence.feeds.imports.work",
)
# What the scheduler calls: dotted function, seconds between two calls. Each must be quick and may run twice.
SCHEDULED: list[tuple[str, float]] = [
    ("soar.accounts.audit_stream.ring", 5),
    ("playbooks.tasks.sweep", LEASE_SECONDS / 3),
    ("playbooks.tasks.cron", 10),
    ("playbooks.tasks.due", 1),
    ("playbooks.tasks.expire", 2),
    ("playbooks.tasks.backtests", 5),
    ("playbooks.tasks.tidy_calls", 3600),
    ("playbooks.detection_models.collect", 30),
    ("cases.tasks.pull_due", 5),
    ("cases.tasks.watch_sources", 30),
    ("cases.tasks.watch_disks", 60),
    ("cases.tasks.tidy_pulls", 3600),
    ("cases.tasks.servicenow_due", 2),
    ("cases.tasks.tidy_servicenow", 3600),
    ("cases.tasks.webhooks_due", 2),
    ("cases.tasks.tidy_webhooks", 3600),
    ("cases.tasks.notifications_due", 3),
    ("cases.tasks.notifications_tasks", 60),
    ("cases.tasks.notifications_late_alerts", 60),
    ("cases.tasks.tidy_notifications", 3600),
    ("cases.tasks.end_given_up", 60),
    ("cases.tasks.count_hours", 60),
    ("cases.tasks.tidy_hours", 86_400),
    ("cases.tasks.tidy_bulk_jobs", 3600),
    ("cases.tasks.tidy_dead_letters", 300),
    ("cases.idempotency.purge", 3600),
    ("soar.connectors.intelligence.feeds.actions.ring", 30),
    ("soar.connectors.intelligence.answers.purge", 3600),
    ("soar.connectors.quota_asking.ring", 1800),
    ("cases.tasks.sweep_evidence", 3600),
    ("cases.tasks.tidy_exports", 120),
    ("cases.tasks.retention_due", 300),
    ("cases.tasks.sla_due", 10),
    ("soar.accounts.access.expiring.tidy", 20),
    ("soar.accounts.access.jobs.end_given_up", 60),
    ("soar.accounts.access.jobs.tidy", 3600),
    ("soar.accounts.actions.viewing.end_expired", 15),
]

LOG_LEVEL = env.text("SOAR_LOG_LEVEL", "INFO")
LOG_FORMAT = env.choice("SOAR_LOG_FORMAT", log_lines.FORMATS)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "soar.lib.log_lines.PlainLines"},
        "json": {"()": "soar.lib.log_lines.JsonLines"},
    },
    "filters": {
        "ids": {"()": "soar.lib.context.AddIds"},
        "no_tokens": {"()": "soar.lib.redact.HideTokens"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["ids", "no_tokens"]}
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "soar": {"level": LOG_LEVEL},
        "cases": {"level": LOG_LEVEL},
        "playbooks": {"level": LOG_LEVEL},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # any scanner makes these, each with a traceback
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
