"""What a floor of the package may import and touch, written down once, and the search for what breaks it.

The picture and the reasons stand in docs/architecture.md. Each finding is a line, `file:line: what is wrong`.
"""

import ast
from collections.abc import Iterator

from tests.package_source import Import, Module, dotted, imports_of, meanings_of

FLOORS = (
    *(
        "compiled",
        "errors",
        "guesses",
        "problems",
        "edits",
        "hashing",
        "durations",
        "money",
        "zones",
        "versions",
        "light_values",
        "yaml_messages",
        "yaml_values",
        "yaml_tree",
    ),
    *("setting_kinds", "cache_settings", "privacy_settings", "proxy_settings", "webhook_settings", "settings"),
    *("visitors", "events", "profiles", "content", "rules", "decisions", "scenarios"),
    *(
        "stores",
        "exports",
        "runtime",
        "reports",
        "web",
        "pages",
        "api",
        "studio",
        "wrap",
        "django",
        "cli",
        "pytest_plugin",
    ),
)
#: The rooms of floors that have them, and what stands in no room, as floors stand: each imports only what comes before.
ROOMS = {
    "stores": (
        *("replay", "stretches", "erasure", "refusing", "fence", "floors", "event_text", "seals"),
        *("holding_text", "decoded", "protocols"),
        *("projecting", "membership", "erasing", "erasing_again", "past", "outcomes", "shared_commits"),
        "reading_at_once",
        *("memory", "postgres", "sqlite"),
        "opening",
    ),
    "web": (
        *("asgi", "headers", "own_answer", "request", "html", "caching", "seen", "response", "fragments", "preview"),
        *("templates", "lifespan", "middleware", "proxy"),
    ),
}
PURE_FLOORS = frozenset(FLOORS[: FLOORS.index("stores")]) - {"settings"}
SIDES = ("web", "pages", "api", "studio")
NOT_IN_THE_PACKAGE_ITSELF = ("api", "studio", "django", "cli")

READERS = ("yaml_tree.py", "content/files.py", "content/feeds.py")
TEMPLATE_LOADERS = ("content/render.py", "content/library.py")

FOREIGN_MODULES = {
    "a store": ("sqlite3", "sqlite_utils", "asyncpg", "psycopg", "redis"),
    "a server": ("starlette", "uvicorn"),
    "an event loop": ("asyncio", "anyio", "uvloop"),
    "chance": ("random", "secrets"),
    "the disk": ("tempfile", "shutil", "glob", "fileinput", "linecache", "watchfiles"),
    "the network": ("socket", "http.client", "urllib.request", "httpx"),
    "other processes": ("subprocess", "multiprocessing"),
}
FOREIGN_NAMES = {
    "the clock": (
        *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter"),
        *(
            "time.perf_counter_ns",
            "time.process_time",
            "time.sleep",
            "time.localtime",
            "time.gmtime",
            "time.ctime",
        ),
        *(
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        ),
    ),
    "chance": ("uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "os.urandom", "os.getrandom"),
    "the environment": (
        "os.environ",
        "os.environb",
        "os.getenv",
        "os.getcwd",
        "pathlib.Path.cwd",
        "pathlib.Path.home",
    ),
    "the disk": (
        *("io.open", "os.open", "os.listdir", "os.scandir", "os.walk", "os.stat", "os.access"),
        *("os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.getsize", "os.path.getmtime"),
        *("os.remove", "os.unlink", "os.rename", "os.replace", "os.mkdir", "os.makedirs", "os.rmdir"),
        *("importlib.resources.files", "jinja2.FileSystemLoader", "jinja2.PackageLoader"),
    ),
}
CLOCKS_WHEN_CALLED = ("TimestampSigner", "TimedSerializer", "URLSafeTimedSerializer")
DISK_METHODS = (
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "iterdir",
    "rglob",
    "is_file",
    "is_dir",
)
DISK_METHODS_OF_PATHS = (
    *("exists", "stat", "lstat", "glob", "open", "touch", "rename", "resolve"),
    *("unlink", "mkdir", "rmdir", "chmod", "symlink_to", "hardlink_to"),
)
WRITES = (
    *("write_text", "write_bytes", "touch", "rename", "unlink", "mkdir", "rmdir", "chmod", "symlink_to"),
    *("hardlink_to", "remove", "replace", "makedirs"),
)
CLASSES_UNKNOWN_TO_RULES = (("profiles", "Profile"), ("content", "ContentItem"))


def broken_walls(modules: tuple[Module, ...]) -> list[str]:
    """Everything in a package that breaks a wall, one line each, in the order of files and lines."""
    known = frozenset(module.name for module in modules)
    found: list[str] = []
    for module in modules:
        imports = imports_of(module, known)
        lines = [*wrong_imports(module, imports), *names_unknown_to_rules(module, imports)]
        if floor_of(module.name) in PURE_FLOORS:
            lines += [*foreign_modules(module, imports), *foreign_names(module)]
        found += [f"{module.place}:{line}: {what}" for line, what in sorted(set(lines))]
    return found + import_cycles(modules)


def floor_of(name: str) -> str:
    """The floor that a module stands on; the empty string for the package itself."""
    return name.split(".")[1] if "." in name else ""


def wrong_imports(module: Module, imports: list[Import]) -> Iterator[tuple[int, str]]:
    """Imports of a floor below, or across a wall between two floors."""
    package, floor = module.name.partition(".")[0], floor_of(module.name)
    if floor and floor not in FLOORS:
        yield 1, f"{floor} is on no floor: give it a place in FLOORS and in docs/architecture.md"
        return
    for each in imports:
        if each.for_types or each.target.partition(".")[0] != package:
            continue
        wrong = what_is_wrong(floor, floor_of(each.target)) or wrong_room(module.name, each.target)
        if wrong:
            yield each.line, f"{floor or package} imports {each.target}: {wrong}"


def what_is_wrong(floor: str, target: str) -> str | None:
    """Why a module on `floor` may not import one on `target`, or None. The empty floor is the package."""
    if floor == target:
        return None
    if not floor:
        return "whoever imports the package would load that too" if target in NOT_IN_THE_PACKAGE_ITSELF else None
    if not target:
        return None if floor == "cli" else "the package itself stands below all its floors"
    if target not in FLOORS or FLOORS.index(target) > FLOORS.index(floor):
        return f"{target} is a floor below {floor}"
    if floor in SIDES and target in SIDES:
        return f"{', '.join(SIDES)} know nothing of one another"
    if floor in SIDES and target == "stores":
        return f"{', '.join(SIDES)} know the runtime and its values, no store"
    return None


def room_of(name: str) -> str:
    """The room that a module stands in on its floor; the empty string for the floor itself."""
    return name.split(".")[2] if name.count(".") > 1 else ""


def wrong_room(name: str, target: str) -> str | None:
    """Why a module may not import another one of its floor, or None."""
    rooms = ROOMS.get(floor_of(name), ())
    room, other = room_of(name), room_of(target)
    if floor_of(name) != floor_of(target) or not rooms or not room or room == other:
        return None
    unknown = [each for each in (room, other) if each not in rooms]
    if unknown:
        return f"{unknown[0] or 'the floor itself'} is no room of {floor_of(name)}: give it a place in ROOMS"
    return f"{other} is a room below {room}" if rooms.index(other) > rooms.index(room) else None


def names_unknown_to_rules(module: Module, imports: list[Import]) -> Iterator[tuple[int, str]]:
    """Classes that rules may know only by the names of their facts; not even as a type."""
    if floor_of(module.name) != "rules":
        return
    for each in imports:
        for floor, name in CLASSES_UNKNOWN_TO_RULES:
            if floor_of(each.target) == floor and each.name in (name, "*"):
                yield each.line, f"rules imports {name}: it knows names of facts, not the classes behind them"


def foreign_modules(module: Module, imports: list[Import]) -> Iterator[tuple[int, str]]:
    """Imports that bring time, chance or the world outside into a floor that must not know of them."""
    floor = floor_of(module.name)
    for each in imports:
        full_name = f"{each.target}.{each.name or ''}."
        for kind, names in FOREIGN_MODULES.items():
            if not each.for_types and any(full_name.startswith(f"{name}.") for name in names):
                yield each.line, f"{floor} imports {each.target}: that is {kind}, and comes in as an argument"


def foreign_names(module: Module) -> Iterator[tuple[int, str]]:
    """Uses of time, chance, environment and disk by name, however the name was imported."""
    floor, meanings = floor_of(module.name), meanings_of(module)
    knows_paths = any(name.partition(".")[0] in ("pathlib", "os") for name in meanings.values())
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = dotted(node, meanings) or ""
            kinds = [kind for kind, names in FOREIGN_NAMES.items() if name in names]
        elif isinstance(node, ast.Call):
            name = called_name(node, meanings)
            kinds = kinds_of_call(node, name, knows_paths)
        else:
            continue
        for kind in kinds:
            if not may_touch(module, kind, name, node):
                yield node.lineno, f"{floor} uses {name}: that is {kind}, and comes in as an argument"


def called_name(call: ast.Call, meanings: dict[str, str]) -> str:
    """What a call calls: a full name where it was imported, else the bare name or `.method`."""
    if isinstance(call.func, ast.Name):
        return meanings.get(call.func.id, call.func.id)
    if isinstance(call.func, ast.Attribute):
        return dotted(call.func, meanings) or f".{call.func.attr}"
    return ""


def kinds_of_call(call: ast.Call, name: str, knows_paths: bool) -> list[str]:
    """What a call reaches for that only shows in calls: files, and signers that read the clock."""
    last = name.rpartition(".")[2]
    if name.startswith("itsdangerous.") and last in CLOCKS_WHEN_CALLED:
        return ["the clock"]
    is_method = isinstance(call.func, ast.Attribute)
    of_a_path = DISK_METHODS_OF_PATHS if knows_paths else ()
    return ["the disk"] if name == "open" or (is_method and last in (*DISK_METHODS, *of_a_path)) else []


def may_touch(module: Module, kind: str, name: str, node: ast.AST) -> bool:
    """Whether this file is one of the few that may read files, or load templates."""
    if kind != "the disk":
        return False
    if name.startswith("jinja2.") and module.path_inside in TEMPLATE_LOADERS:
        return True
    return module.path_inside in READERS and not writes(name, node)


def writes(name: str, node: ast.AST) -> bool:
    """Whether a use of the disk changes it: by its name, or by a mode with w, a, x or + in it."""
    last = name.rpartition(".")[2]
    if last in WRITES or not isinstance(node, ast.Call) or last != "open":
        return last in WRITES
    at = 1 if name in ("open", "io.open") else 0
    modes = [*node.args[at : at + 1], *(word.value for word in node.keywords if word.arg == "mode")]
    return any(not isinstance(mode, ast.Constant) or set("wax+") & set(str(mode.value)) for mode in modes)


def import_cycles(modules: tuple[Module, ...]) -> list[str]:
    """The import that closes each cycle among the imports that run when a module is loaded."""
    known = frozenset(module.name for module in modules)
    edges = {
        module.name: [
            each
            for each in imports_of(module, known)
            if not each.for_types and not each.in_function and each.target in known
        ]
        for module in modules
    }
    places = {module.name: module.place for module in modules}
    done: set[str] = set()
    found: list[str] = []

    def follow(name: str, trail: tuple[str, ...]) -> None:
        for each in edges[name]:
            if each.target in trail:
                circle = " -> ".join([*trail[trail.index(each.target) :], each.target])
                found.append(f"{places[name]}:{each.line}: an import cycle: {circle}")
            elif each.target not in done:
                follow(each.target, (*trail, each.target))
        done.add(name)

    for name in sorted(edges):
        if name not in done:
            follow(name, (name,))
    return found
