"""The namespace of a kernel that was killed, in another one, and in one more after that."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from .conftest import Kernel, place_of

CELLS = {
    "values": """
        a = [1]; b = a; box = {"a": a, "pair": (a, a)}
        cycle = []; cycle.append(cycle)
        text = "\\ud800é"; _cache = 1
        deep = []
        for _ in range(3000): deep = [deep]
        whole_namespace = globals()
        import random, os.path as paths, threading
        random.seed(7)
        lock = threading.RLock()
        event = threading.Event()
        queue = __import__("queue").Queue(); queue.put("x")
        """,
    "functions": """
        import functools, contextlib, operator
        def counted(function):
            calls = 0
            @functools.wraps(function)
            def wrapper(*args, by=1, **kwargs):
                nonlocal calls
                calls += by
                return function(*args, **kwargs), calls
            return wrapper
        @counted
        def double(x: int = 2) -> int:
            "Doubles."
            return 2 * x
        double.note = "mine"
        def later(): return defined_later
        def write(value):
            global written
            written = value
        def counter():
            n = 0
            def up():
                nonlocal n
                n += 1
                return n
            return up, lambda: n
        up, look = counter(); up()
        def recursive():
            def down(n): return n and down(n - 1)
            return down
        down = recursive()
        empty = (lambda: (lambda: unset))
        def unbound():
            def get(): return unset
            return get
            unset = 1
        get_unset = unbound()
        @functools.lru_cache(maxsize=5)
        def fibonacci(n): return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
        fibonacci(10)
        @contextlib.contextmanager
        def managed(): yield "managed"
        append = a.append
        partial = functools.partial(later)
        async def wait(x): return x
        def defaults(x, /, y=a, *, z=b): return (x, y, z)
        builtin = len
        sqrt = __import__("math").sqrt
        """,
    "classes": """
        import abc, dataclasses, enum, typing
        @dataclasses.dataclass
        class Point:
            x: int
            tags: list = dataclasses.field(default_factory=list)
            def where(self): return f"{self.x} in {defined_later}"
        class Colour(enum.Enum):
            RED = 1
            BLUE = 2
        class Base(abc.ABC):
            @abc.abstractmethod
            def name(self): ...
        class Derived(Base):
            __slots__ = ("slot",)
            def name(self): return super().name() or "derived"
            @property
            def loud(self): return self.name().upper()
            @classmethod
            def make(cls): return cls()
            @staticmethod
            def plain(): return "plain"
        class Pair(typing.NamedTuple):
            left: int
            right: int = 2
        point, red, derived, pair = Point(1, ["t"]), Colour.RED, Derived(), Pair(1)
        derived.slot = 5
        method = point.where
        shell = get_ipython()
        main = __import__("__main__")
        from flownb import flow
        """,
    "process": """
        import asyncio, concurrent.futures, contextvars, socket, sqlite3, subprocess, sys, tempfile
        connection = sqlite3.connect(":memory:")
        same_connection = connection
        sock = socket.socket()
        send = sock.send
        client = {"name": "n", "sock": sock, "own": socket.socket()}
        generator = (x for x in [1])
        numbered = enumerate(generator)
        thread = threading.Thread(target=print)
        file = open(__import__("os").devnull)
        executor = concurrent.futures.ThreadPoolExecutor()
        task = asyncio.get_event_loop().create_task(asyncio.sleep(0))
        variable = contextvars.ContextVar("variable")
        out = sys.stdout
        class Stubborn:
            def __reduce__(self): raise ValueError("not me")
        stubborn = Stubborn()
        class Wrong:
            def __reduce__(self): return (1, 2)
        wrong = [a, Wrong()]
        replaced = sqlite3.connect(":memory:")
        """,
    "later": "defined_later = 'late'",
}

LOST = {
    "connection",
    "same_connection",
    "sock",
    "send",
    "generator",
    "numbered",
    "thread",
    "file",
    "executor",
    "task",
    "variable",
    "stubborn",
    "wrong",
    "replaced",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Kernel], dict[str, Any]]]:
    """Kernels of the second and the third generation, and what the first said when it saved."""
    folder = tmp_path_factory.mktemp("notebooks")
    kernels, answer, current = [], {}, Kernel(folder)
    current.prepare()
    for step, code in CELLS.items():
        ran = current.step(code, step=step)
        assert ran.reply["status"] == "ok", ran.reply
    current.execute("random.seed(3); import os, sys; os.chdir('..'); sys.path.insert(0, '/mine')")
    current.execute("del pd")
    for generation in (1, 2):
        path = folder / f"{generation}.snapshot"
        answer[generation] = current.save(path)
        if generation == 1:
            current.close()
        current = Kernel(folder)
        current.prepare()
        assert current.step("replaced = 'by setup'; a = 'overwritten'", mode="setup").reply["status"] == "ok"
        loaded = current.load(path, answer[generation]["digest"])
        assert loaded["status"] == "ok", loaded
        kernels.append(current)
    yield kernels, answer[1]
    for kernel in kernels:
        kernel.close()


@pytest.fixture(params=[0, 1], ids=["second", "third"])
def restored(request: pytest.FixtureRequest, saved: tuple[list[Kernel], dict[str, Any]]) -> Kernel:
    kernels, _ = saved
    kernel: Kernel = kernels[request.param]
    return kernel


@pytest.mark.parametrize(
    "truth",
    [
        "a == [1] and a is b and box['a'] is a and box['pair'][1] is a",
        "cycle[0] is cycle",
        "text == '\\ud800é' and _cache == 1",
        "whole_namespace is globals()",
        "paths is __import__('os').path and threading is __import__('threading')",
        "lock.acquire() and lock.release() is None",
        "not event.is_set() and event.wait(0) is False",
        "queue.get(timeout=1) == 'x' and queue.put('x') is None",
        "random.seed(3) is None and len(random.choices('ab', k=5)) == 5",
        "__import__('os').getcwd() == str(__import__('pathlib').Path(pathlib_folder).parent)",
        "__import__('sys').path[0] == '/mine'",
        "'pd' not in globals()",
        "double.__name__ == 'double' and double.__doc__ == 'Doubles.' and double.note == 'mine'",
        "double(4, by=0)[0] == 8 and double.__wrapped__.__annotations__ == {'x': int, 'return': int}",
        "double.__wrapped__.__globals__ is globals() and double.__globals__ is globals()",
        "later() == 'late' and partial() == 'late'",
        "write(3) is None and written == 3",
        "look() == up() - 1 and look() == up.__closure__[0].cell_contents",
        "down(3) == 0 and down.__closure__[0].cell_contents is down",
        "get_unset.__closure__[0] == type(get_unset.__closure__[0])()",
        "fibonacci(30) == 832040 and fibonacci.cache_parameters()['maxsize'] == 5",
        "managed().__enter__() == 'managed' and managed.__wrapped__.__globals__ is globals()",
        "append.__self__ is a and builtin is len and sqrt(4) == 2",
        "defaults(0)[1] is a and defaults(0)[2] is b",
        "wait(1).close() is None",
        "isinstance(point, Point) and point == Point(1, ['t']) and point.where() == '1 in late'",
        "method() == '1 in late' and method.__self__ is point",
        "red is Colour.RED and Colour(2) is Colour.BLUE",
        "isinstance(derived, Base) and derived.loud == 'DERIVED' and derived.slot == 5",
        "isinstance(Derived.make(), Derived) and Derived.plain() == 'plain'",
        "Derived.name.__globals__ is globals()",
        "pair == (1, 2) and pair.left == 1 and Pair(3).right == 2",
        "shell is get_ipython() and vars(main) is globals() and out is __import__('sys').stdout",
        "flow is __import__('flownb').flow",
        "client['name'] == 'n'",
        "repr(connection) == '<lost: connection, sqlite3.Connection>' and connection is same_connection",
        "repr(client['sock']) == repr(sock) and sock is client['sock']",
        "replaced == 'by setup'",
    ],
)
def test_what_comes_back(restored: Kernel, truth: str) -> None:
    restored.execute(f"pathlib_folder = {str(restored.folder)!r}")
    assert restored.value(truth) == "True"


def test_depth(restored: Kernel) -> None:
    restored.execute("depth, inner = 0, deep\nwhile inner: depth, inner = depth + 1, inner[0]")
    assert restored.value("depth") == "3000"


@pytest.mark.parametrize("name", sorted(LOST - {"replaced"}))
def test_what_is_lost_raises_when_used(restored: Kernel, name: str) -> None:
    for use in ("{}.x", "{}()", "len({})", "{}[0]", "list({})", "{} + 1", "1 - {}", "bool({})", "with {}: pass"):
        reply = restored.execute(use.format(name)).reply
        assert reply["ename"] == "NotRestorable", use
        assert "made in step 'process'" in reply["evalue"]
        assert "tagged `setup`" in reply["evalue"]
    assert restored.execute(name).reply["status"] == "ok"


def test_the_message_names_variable_type_step_cause_and_remedy(restored: Kernel) -> None:
    assert restored.execute("connection.execute('select 1')").reply["evalue"] == (
        "variable 'connection' (sqlite3.Connection), made in step 'process', could not be carried over to this kernel: "
        "cannot pickle 'sqlite3.Connection' object. "
        "Make it in a cell tagged `setup`: such cells run whenever a kernel is made ready."
    )


def test_the_record_of_each_variable(saved: tuple[list[Kernel], dict[str, Any]]) -> None:
    _, answer = saved
    variables = {variable["name"]: variable for variable in answer["variables"]}
    assert {name for name, variable in variables.items() if variable["status"] == "lost"} == LOST
    assert variables["point"] == {
        "name": "point",
        "type": "__main__.Point",
        "status": "kept",
        "reason": None,
        "step": "classes",
        "size": variables["point"]["size"],
        "stored": variables["point"]["size"],
        "shared": ["method"],
    }
    assert {"b", "box"} <= set(variables["a"]["shared"])
    assert "a" in variables["box"]["shared"]
    assert variables["client"]["reason"] == "socket.socket: cannot pickle 'socket' object"
    assert "not me" in variables["stubborn"]["reason"]
    assert not {"In", "Out", "_", "_i", "_1", "get_ipython", "exit", "open", "pd", "__name__"} & set(variables)


def test_what_holds_something_lost_is_there_in_part(new_kernel: Callable[[], Kernel], tmp_path: Path) -> None:
    kernel = new_kernel()
    kernel.prepare()
    kernel.step("lines = (x for x in [1])\nheld = {'lines': lines, 'n': 1}\nalias = lines\nwhole = {'n': 1}")
    fates = {variable["name"]: variable["status"] for variable in kernel.save(tmp_path / "s")["variables"]}
    assert (fates["lines"], fates["held"], fates["alias"], fates["whole"]) == ("lost", "partly", "lost", "kept")


def test_random_numbers_go_on(new_kernel: Callable[[], Kernel], tmp_path: Path) -> None:
    kernel = new_kernel()
    kernel.execute("import random; random.seed(1)")
    answer = kernel.save(tmp_path / "s")
    numbers = kernel.value("[random.random() for _ in range(3)]")
    assert kernel.load(tmp_path / "s", answer["digest"])["status"] == "ok"
    assert kernel.value("[random.random() for _ in range(3)]") == numbers


def test_the_file(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    answer = kernel.save(path)
    content = path.read_bytes()
    assert answer["digest"] == blake3(content).hexdigest()
    assert answer["size"] == len(content)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_missing_damaged_or_of_another_python(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    assert kernel.load(path, "")["ename"] == "CheckpointMissing"
    digest = kernel.save(path)["digest"]
    content = path.read_bytes()
    path.write_bytes(content + b"x")
    assert kernel.load(path, digest)["ename"] == "SnapshotDamaged"
    header = json.loads(content.split(b"\n", 1)[0])
    assert header["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    content = content.replace(header["python"].encode(), b"2.7", 1)
    path.write_bytes(content)
    answer = kernel.load(path, blake3(content).hexdigest())
    assert answer["ename"] == "SnapshotIncompatible"
    assert "Python 2.7" in answer["evalue"]


def test_what_cannot_be_unpickled_names_the_variable_and_the_cause(kernel: Kernel, tmp_path: Path) -> None:
    kernel.execute("def fail(): raise OSError('no such device')")
    kernel.execute("class Device:\n    def __reduce__(self): return fail, ()\ndevice = Device()")
    digest = kernel.save(tmp_path / "s")["digest"]
    answer = kernel.load(tmp_path / "s", digest)
    assert answer["ename"] == "SnapshotIncompatible"
    assert "variable 'device': OSError: no such device" in answer["evalue"]
    kernel.execute("del device, Device, fail")


def test_a_full_disk_leaves_nothing_behind(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    kernel.execute("import os; fsync = os.fsync\ndef full(*_): raise OSError(28, 'No space left')\nos.fsync = full")
    call = f"__import__('flownb.kernel.snapshot', fromlist=['save']).save({place_of(path)!r}, 'checkpoint')"
    answer = kernel.execute("", call, silent=True).reply["user_expressions"]["flownb"]
    kernel.execute("os.fsync = fsync; del full")
    assert answer["ename"] == "OSError"
    assert list(tmp_path.iterdir()) == []


def test_no_checkpoint_takes_the_place_of_another(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    digest = kernel.save(path)["digest"]
    call = f"__import__('flownb.kernel.snapshot', fromlist=['save']).save({place_of(path)!r}, 'checkpoint')"
    assert kernel.execute("", call, silent=True).reply["user_expressions"]["flownb"]["ename"] == "FileExistsError"
    assert kernel.load(path, digest)["status"] == "ok"


def test_code_that_remakes_an_object_may_use_the_notebooks_names(
    new_kernel: Callable[[], Kernel], tmp_path: Path
) -> None:
    cell = "class T:\n    def __setstate__(self, state): self.x = os.path.basename(state['x']) + word()\n"
    cell += "t = T(); t.x = '/a/b'\nimport os\ndef word(): return '!'"
    first, second = new_kernel(), new_kernel()
    for kernel in (first, second):
        kernel.prepare()
    assert first.step(cell).reply["status"] == "ok"
    assert second.load(tmp_path / "s", first.save(tmp_path / "s")["digest"])["status"] == "ok"
    assert second.value("t.x") == "'b!'"


def test_the_environment_comes_back(new_kernel: Callable[[], Kernel], tmp_path: Path) -> None:
    first, second = new_kernel(), new_kernel()
    for kernel in (first, second):
        kernel.prepare(environment={"KEPT": "1", "GONE": "1"})
    first.step("import os\nos.environ['NEW'] = 'x'; os.environ['KEPT'] = '2'; del os.environ['GONE']")
    assert second.load(tmp_path / "s", first.save(tmp_path / "s")["digest"])["status"] == "ok"
    assert second.value("[os.environ.get(name) for name in ('NEW', 'KEPT', 'GONE')]") == "['x', '2', None]"
