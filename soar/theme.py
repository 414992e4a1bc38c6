"""Light or dark: by the person's choice, else by the browser's cookie, else by the system (interface 5)."""

from __future__ import annotations

from django.http import HttpRequest

THEMES = ("auto", "light", "dark")
COOKIE = "theme"


def theme_of(request: HttpRequest | None) -> str:
    """The theme of this request. Works without a database: the person is only asked when already loaded."""
    user = getattr(request, "user", None) if request is not None else None
    if user is not None and user.is_authenticated:
        return str(user.theme)
    chosen = request.COOKIES.get(COOKIE, "") if request is not None else ""
    return chosen if chosen in THEMES else "auto"
