"""What stands in sessions, encrypted: the key of an authenticator app that is being set up, a form that waits for a
confirmation with the secrets that were typed into it."""

from __future__ import annotations

import json
from typing import Any

from soar.lib import crypto


class EncryptedSerializer:
    """Setting ``SESSION_SERIALIZER``. A session whose key is gone, or of a time before, is an empty one: its person
    signs in again."""

    def dumps(self, obj: Any) -> bytes:
        """JSON under the newest key."""
        return crypto.encrypt(json.dumps(obj, separators=(",", ":"))).encode("ascii")

    def loads(self, data: bytes) -> Any:
        """What ``dumps`` was given. Raises crypto.DecryptionError, which Django takes for an empty session."""
        return json.loads(crypto.decrypt(data.decode("ascii", "replace")))
