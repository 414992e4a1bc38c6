"""The portal's settings with what makes tests quick; everything else is as in production."""

from tests.cluster import take_own_data

take_own_data()
from soar.settings import *  # noqa: E402, F403
from soar.settings import STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
TASK_PACKAGES = ("soar", "cases", "playbooks", "tests")  # type: ignore[assignment]
QUEUE_AT_MOST = 0  # the question would count among the queries of whichever delivery comes first
DISK_LOW_MB = 0  # how full this machine's disk is, is nothing to a test
COUNTER_SECONDS = 0  # write the counters of sources at once
