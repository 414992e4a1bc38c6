"""The portal's settings with what makes tests quick; everything else is as in production."""

from soar.settings import *  # noqa: F403
from soar.settings import STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
TASK_PACKAGES = ("soar", "cases", "playbooks", "tests")  # type: ignore[assignment]
COUNTER_SECONDS = 0  # write the counters of sources at once
