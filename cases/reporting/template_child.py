"""Renders one template that an admin wrote: run by soar.lib.confined, alone, with nothing of ours.

In: JSON ``{"body": text, "context": object or null}``; null only looks whether the template can be read. Out: the text.
An engine without loaders and libraries, with the built-in tags alone, over plain dictionaries (rulings 29).
"""

from __future__ import annotations

import json
import sys

from django.conf import settings
from django.template import Context, Engine, TemplateDoesNotExist, TemplateSyntaxError

# Tags that read files or the process, or that make much of nothing.
FORBIDDEN = ("debug", "lorem", "include", "extends", "load", "url", "csrf_token")


def main() -> None:
    """Render, or say in one line of JSON why not, with the number of the template's line."""
    settings.configure(USE_TZ=True, DEBUG=False, USE_I18N=False)
    given = json.loads(sys.stdin.buffer.read())
    engine = Engine(loaders=[], libraries={}, debug=True, string_if_invalid="")
    for builtin in engine.template_builtins:
        for name in FORBIDDEN:
            builtin.tags.pop(name, None)
    try:
        template = engine.from_string(given["body"])
        made = "" if given["context"] is None else template.render(Context(given["context"]))
    except (TemplateSyntaxError, TemplateDoesNotExist) as error:
        refuse(f"{error}", line_of(error))
    except RecursionError:
        refuse("It is nested too deeply.", None)
    except MemoryError:
        refuse("It needs too much memory.", None)
    except Exception as error:  # a filter with arguments that do not fit it: any sort of error
        refuse(f"{type(error).__name__}: {error}", line_of(error))
    else:
        sys.stdout.buffer.write(made.encode("utf-8", "replace"))


def line_of(error: Exception) -> int | None:
    """Where in the template it happened, if Django knows."""
    token = getattr(error, "token", None)
    debug = getattr(error, "template_debug", None) or {}
    line = debug.get("line") or getattr(token, "lineno", None)
    return line if isinstance(line, int) else None


def refuse(sentence: str, line: int | None) -> None:
    """The last words."""
    sys.stderr.write(json.dumps({"error": sentence[:500], "line": line}) + "\n")
    sys.exit(3)


main()
