"""From files to functions: reads the playbook folders. Knows nothing of rows (python-playbooks.md 2)."""

from __future__ import annotations

import hashlib
import importlib
import linecache
import sys
import traceback
import types
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from playbooks.code import PlaybookSpec, collecting

_PREFIX = "soar_playbook_"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file, or one function in it, is not there."""

    path: str
    name: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One playbook function and the text of its file."""

    spec: PlaybookSpec
    folder: str
    module: str
    source: str
    digest: str


@dataclass(slots=True)
class Loaded:
    """What the folders hold. ``found`` by lower-case name."""

    found: dict[str, Found] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load(folders: Iterable[Path]) -> Loaded:
    """Import every ``*.py`` below ``folders`` whose name does not begin with ``_``, anew.

    A file that fails is a Problem and breaks nothing else. Two functions of one name are both refused."""
    folders = list(dict.fromkeys(Path(folder).resolve() for folder in folders))
    _forget(folders)
    all_found: list[Found] = []
    loaded = Loaded()
    for folder in folders:
        if not folder.is_dir():
            loaded.problems.append(Problem(str(folder), "", "The playbook folder does not exist."))
            continue
        for path in _files(folder):
            all_found += _load_file(folder, path, loaded.problems)
    _keep_unique(all_found, loaded)
    return loaded


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*.py")
        if path.is_file() and not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    )


def _forget(folders: list[Path]) -> None:
    """Drop what was imported from the folders before, helpers beside the playbooks too."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).is_relative_to(folder) for folder in folders) and not name.startswith("playbooks."):
            del sys.modules[name]
    importlib.invalidate_caches()


def _load_file(folder: Path, path: Path, problems: list[Problem]) -> list[Found]:
    specs: list[PlaybookSpec] = []
    try:
        source = path.read_text(encoding="utf-8")
        with collecting(specs):
            _execute(folder, path, source)
    except (Exception, SystemExit) as error:
        problems.append(Problem(str(path), "", _message(error), _traceback(error)))
        return []
    digest = hashlib.sha256(source.encode()).hexdigest()
    module = str(path.relative_to(folder))
    return [Found(spec, str(folder), module, source, digest) for spec in specs if _is_from(spec, path)]


def _execute(folder: Path, path: Path, source: str) -> None:
    """Compile the text that was read, so that no stale byte code is taken, and run it as a module of its own."""
    for place in (str(folder), str(path.parent)):
        if place not in sys.path:
            sys.path.append(place)  # behind everything: a playbook's neighbour never hides a library
    name = f"{_PREFIX}{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    linecache.checkcache(str(path))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102  a playbook is code
    except BaseException:
        sys.modules.pop(name, None)
        raise
    finally:
        sys.dont_write_bytecode = writes


def _is_from(spec: PlaybookSpec, path: Path) -> bool:
    """Not a playbook that this file merely imports from its neighbour."""
    code = getattr(spec.function, "__code__", None)
    return code is None or Path(code.co_filename) == path


def _keep_unique(all_found: list[Found], loaded: Loaded) -> None:
    by_name: dict[str, list[Found]] = defaultdict(list)
    for found in all_found:
        by_name[found.spec.name.lower()].append(found)
    for name, same in by_name.items():
        if len(same) == 1:
            loaded.found[name] = same[0]
            continue
        places = ", ".join(sorted({found.module for found in same}))
        for found in same:
            message = f"{len(same)} playbooks are called {found.spec.name!r} ({places}). None of them is used."
            path = str(Path(found.folder) / found.module)
            loaded.problems.append(Problem(path, found.spec.name, message))


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:2000]


def _traceback(error: BaseException) -> str:
    """The traceback from the playbook's own file on; our frames say nothing to its author."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))[:20_000]
