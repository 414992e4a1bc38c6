"""Secrets at rest: model fields whose column holds only cipher text (connectors.md 1).

The keys are ``ENCRYPTION_KEYS``, newest first: the first one writes, all of them read. Without any, the key kept in
the data folder does both. ``rotate()`` writes everything anew with the first key, after which old keys can go.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.functions import Cast
from django.db.models.query_utils import DeferredAttribute
from django.utils.module_loading import import_string

PREFIX = "fernet:"
DOTS = "••••"
# A shorter secret would be half told by its last four signs.
LONG_ENOUGH_FOR_A_TAIL = 16


class DecryptionError(Exception):
    """A stored secret cannot be read: its key is not among the keys, or the column was damaged."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be read: it was encrypted with a key that is not among SOAR_ENCRYPTION_KEYS "
            "(or the file encryption_key in the data folder). Add that key as a further one, or set the secret anew."
        )


class Cipher(str):
    """Finished cipher text: an encrypted field stores it as it is, and holds it until somebody reads the secret."""

    __slots__ = ()


class SecretText(str):
    """A secret that tells nothing when it is shown by ``repr``: tracebacks, logs, shells."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(masked(self))


class SecretDict(dict[str, Any]):
    """Secrets by name; ``repr`` and ``str`` show the names only."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, DOTS))

    __str__ = __repr__


def masked(secret: object) -> str:
    """What may be shown of a secret: dots, and the last four signs of a long one. Empty stays empty."""
    text = str(secret or "")
    if not text:
        return ""
    return DOTS + text[-4:] if len(text) >= LONG_ENOUGH_FOR_A_TAIL else DOTS


def encrypt(text: str) -> str:
    """Cipher text of ``text`` under the newest key, different each time."""
    return PREFIX + _keys().encrypt(text.encode()).decode("ascii")


def decrypt(cipher: str) -> str:
    """The text of what ``encrypt`` made. Raises DecryptionError when no key fits or it was tampered with."""
    try:
        return _keys().decrypt(cipher.removeprefix(PREFIX).encode()).decode()
    except InvalidToken:
        raise DecryptionError from None


def rotate() -> int:
    """Encrypt every stored secret anew with the newest key; returns how many rows of columns were written.

    Raises DecryptionError at the first that cannot be read; those before it are done. A row that is
    changed at the same moment keeps the change. What a library keeps encrypted in fields of its own is rotated by the
    functions of the setting ``ROTATES``. Sessions are not: whoever has one from before signs in again.
    """
    return sum(_rotate_row(*row) for row in _stored()) + sum(int(import_string(name)()) for name in settings.ROTATES)


def check_all() -> int:
    """Open every stored secret without telling it; returns how many. Raises DecryptionError at the first that fails."""
    return sum(bool(decrypt(cipher) or True) for _model, _name, _pk, cipher in _stored())


def _stored() -> Iterator[tuple[type[models.Model], str, Any, str]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, _Encrypted):
                rows = model._base_manager.annotate(_cipher=Cast(field.attname, models.TextField()))
                for pk, cipher in rows.exclude(_cipher=None).values_list("pk", "_cipher").iterator():
                    yield model, field.attname, pk, cipher


def _rotate_row(model: type[models.Model], name: str, pk: Any, cipher: str) -> int:
    new = Cipher(encrypt(decrypt(cipher)))
    rows = model._base_manager.annotate(_cipher=Cast(name, models.TextField())).filter(pk=pk, _cipher=cipher)
    return rows.update(**{name: new})


def key_texts() -> tuple[str, ...]:
    """The keys as they were given, newest first: for a backup, and for nothing else."""
    return tuple(settings.ENCRYPTION_KEYS) or tuple(_local_key().split(","))


def forget_local_key() -> None:
    """Read the key file of the data folder anew: a restore has put another one there."""
    _key_in.cache_clear()


def _keys() -> MultiFernet:
    return _fernet(key_texts())


def _local_key() -> str:
    """What the file holds: one key, or several with commas after a restore."""
    return _key_in(os.environ.get("SOAR_DATA", ""))


@cache
def _key_in(_folder: str) -> str:
    """The key of a data folder, read once a process: the file is made at the first start and
    changed by a restore only."""
    from soar.keys import local_secret  # only where no keys are given: it writes a file

    return local_secret("encryption_key")


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key_of(key)) for key in keys])


def _key_of(text: str) -> bytes:
    """``text`` itself if it is a Fernet key, else a key derived from it (so any long random text will do)."""
    try:
        if len(base64.urlsafe_b64decode(text)) == 32:
            return text.encode("ascii")
    except ValueError:
        pass
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"soar secrets at rest").derive(text.encode())
    return base64.urlsafe_b64encode(derived)


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField  # not subscriptable at run time


class _Opened(DeferredAttribute):
    """Decrypts when the attribute is read: a list of rows costs nothing, and a lost key takes down only who needs the
    secret, with DecryptionError."""

    field: _Encrypted

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Cipher) and instance is not None:
            value = instance.__dict__[self.field.attname] = self.field.opened(value)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value  # with a setter, __get__ is asked first


class _Encrypted(_TextField):
    """What both fields share. Not editable, so it never reaches Django's admin or a model form."""

    descriptor_class = _Opened

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def get_lookup(self, lookup_name: str) -> Any:
        # The same text is different cipher text each time: a comparison would silently find nothing.
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is encrypted: it can be asked for isnull only, not {lookup_name}")

    def get_transform(self, lookup_name: str) -> Any:
        return None

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else Cipher(value)

    def opened(self, cipher: str) -> Any:
        """The secret of a column. Raises DecryptionError."""
        return self._load(decrypt(cipher))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """What nobody has read is stored as it was."""
        held = model_instance.__dict__.get(self.attname)
        return held if isinstance(held, Cipher) else super().pre_save(model_instance, add)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(PREFIX):  # from a fixture: see value_to_string
            return self.opened(value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Cipher) or hasattr(value, "resolve_expression"):
            return value
        return encrypt(self._dump(value))

    def value_to_string(self, obj: models.Model) -> str:
        """For ``dumpdata``: an export holds cipher text too."""
        value = self.value_from_object(obj)
        return "" if value is None else encrypt(self._dump(value))

    def _load(self, text: str) -> Any:
        return SecretText(text)

    def _dump(self, value: Any) -> str:
        return str(value)


class EncryptedTextField(_Encrypted):
    """Text that the column holds encrypted. In Python a ``SecretText``."""


class EncryptedJSONField(_Encrypted):
    """A JSON object that the column holds encrypted. In Python a ``SecretDict``; use ``default=dict``."""

    def _load(self, text: str) -> Any:
        value = json.loads(text)
        return SecretDict(value) if isinstance(value, dict) else value

    def _dump(self, value: Any) -> str:
        return json.dumps(value)
