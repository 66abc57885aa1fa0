"""Kinds of objects: functions that cells define, and modules."""

from __future__ import annotations

from .kinds import kept

FUNCTIONS = [
    kept(
        "functions, lambdas, recursion, defaults, annotations, attributes",
        """
        def documented(x: int, /, y=shared, *, z=1) -> int:
            "Says what."
            return x + z
        documented.note = ["mine"]
        def factorial(n): return 1 if n < 2 else n * factorial(n - 1)
        square = lambda x: x * x
        async def awaited(): return 1
        def generating(): yield from [1, 2]
        made_function = types.FunctionType(square.__code__, globals(), "made_function")
        """,
        """
        documented(1, z=2) == 3 and documented.__defaults__[0] is shared and documented.__kwdefaults__ == {"z": 1}
        documented.__doc__ == "Says what." and documented.note == ["mine"]
        documented.__annotations__ == {"x": int, "return": int} and documented.__module__ == "__main__"
        factorial(10) == 3628800 and square(3) == 9 == made_function(3) and list(generating()) == [1, 2]
        awaited().close() is None
        """,
    ),
    kept(
        "functions that read and write globals, also ones that are made or changed later",
        """
        def read_later(): return assigned_later
        def write_global(value):
            global written_global
            written_global = value
        def call_later(): return defined_later()
        """,
        """
        read_later() == "late" and call_later() == "later"
        write_global(3) is None and written_global == 3 and read_later.__globals__ is globals()
        """,
    ),
    kept(
        "the names which those need, made in a later cell",
        "assigned_later = 'late'\ndef defined_later(): return 'later'",
        "read_later() == 'late'",
    ),
    kept(
        "closures, with the variables they share",
        """
        def counting_closures():
            count = 0
            def up():
                nonlocal count
                count += 1
                return count
            return up, lambda: count
        count_up, count_now = counting_closures(); count_up()
        def recursive_closure():
            def down(n): return n and down(n - 1)
            return down
        down_closure = recursive_closure()
        def unset_closure():
            def get(): return unset
            return get
            unset = 1
        get_unset = unset_closure()
        """,
        """
        count_up() == count_now() and count_up.__closure__[0] is count_now.__closure__[0]
        down_closure(3) == 0 and down_closure.__closure__[0].cell_contents is down_closure
        get_unset.__closure__[0] == types.CellType()
        """,
    ),
    kept(
        "decorators: `wraps`, `contextmanager`, `singledispatch`, `total_ordering`, `cached_property`",
        """
        import contextlib, functools
        def decorated_with(extra):
            def decorate(function):
                @functools.wraps(function)
                def wrapper(*args): return function(*args) + extra
                return wrapper
            return decorate
        @decorated_with(10)
        def added(x): return x + 1
        @contextlib.contextmanager
        def managed(): yield "managed"
        @functools.singledispatch
        def described(x): return "any"
        @described.register
        def _(x: int): return "int"
        described(1)
        @functools.total_ordering
        class Version:
            def __init__(self, n): self.n = n
            def __eq__(self, other): return self.n == other.n
            def __lt__(self, other): return self.n < other.n
            @functools.cached_property
            def twice(self): return [self.n * 2]
            @functools.singledispatchmethod
            def plus(self, other): return "any"
            @plus.register
            def _(self, other: int): return self.n + other
        version = Version(2); twice = version.twice
        """,
        """
        added(1) == 12 and added.__name__ == "added" and added.__wrapped__(1) == 2
        managed().__enter__() == "managed"
        described(1) == "int" and described("") == "any"
        described.register(str, lambda x: "str") and described("") == "str"
        version >= Version(1) and version.twice is twice and Version(3).twice == [6]
        version.plus(1) == 3 and version.plus("") == "any"
        """,
    ),
    kept(
        "`lru_cache`, `cache`",
        """
        @functools.lru_cache(maxsize=5)
        def fibonacci(n): return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
        fibonacci(10)
        @functools.cache
        def cached_constant(): return object()
        class Cached:
            @functools.lru_cache
            def method(self): return 5
        cached_instance = Cached(); cached_instance.method()
        """,
        """
        fibonacci.cache_info().currsize == 0 and fibonacci(30) == 832040
        fibonacci.cache_parameters()["maxsize"] == 5
        fibonacci.__name__ == "fibonacci" and cached_constant() is cached_constant()
        cached_instance.method() == 5
        """,
        "the function; its cache begins empty",
    ),
    kept(
        "`partial`, `partialmethod`, `operator`, bound methods, built-in functions",
        """
        import operator
        doubled = functools.partial(operator.mul, 2)
        nested_partial = functools.partial(doubled)
        getters = (operator.itemgetter(1), operator.attrgetter("real"), operator.methodcaller("upper"))
        bound_append, builtin_len, unbound_upper, class_fromkeys = shared.append, len, str.upper, dict.fromkeys
        square_root = __import__("math").sqrt
        bound_wrapper = (5).__add__
        """,
        """
        doubled(4) == 8 == nested_partial(4)
        getters[0]("ab") == "b" and getters[1](3) == 3 and getters[2]("x") == "X"
        bound_append.__self__ is shared and builtin_len is len and unbound_upper("a") == "A"
        class_fromkeys("a") == {"a": None} and square_root(4) == 2 and bound_wrapper(2) == 7
        """,
    ),
    kept(
        "compiled code, syntax trees, templates, signatures",
        """
        import ast, inspect, string
        compiled = compile("1 + 1", "<mine>", "eval")
        tree = ast.parse("x = 1 + 2")
        template, formatter = string.Template("$who"), string.Formatter()
        signature = inspect.signature(documented)
        """,
        """
        eval(compiled) == 2 and compiled.co_filename == "<mine>" and ast.unparse(tree) == "x = 1 + 2"
        template.substitute(who="me") == "me" and formatter.format("{0!r}", "a") == "'a'"
        str(signature) == str(inspect.signature(documented)) and signature.parameters["z"].default == 1
        """,
    ),
]

MODULES = [
    kept(
        "modules, also under another name, and what is imported from them",
        """
        import os.path as paths, xml.dom.minidom, json as my_json
        import concurrent.futures
        from itertools import *
        from collections import abc as collections_abc
        import __main__ as main_module
        """,
        """
        paths is __import__("os").path and my_json is __import__("json") and xml.dom.minidom.parseString("<a/>")
        islice is __import__("itertools").islice and collections_abc is __import__("collections.abc").abc
        vars(main_module) is globals()
        """,
        "imported again by name, so they must still be there",
    ),
    kept(
        "modules made in a cell",
        """
        import sys
        made_module = types.ModuleType("made_module", "Its text.")
        exec("x = [1]\\ndef get(): return x\\nclass Thing:\\n    def get(self): return x", made_module.__dict__)
        made_thing, made_get = made_module.Thing(), made_module.get
        known_module = types.ModuleType("known_module"); sys.modules["known_module"] = known_module
        exec("y = 1\\ndef put(v):\\n    global y\\n    y = v\\nclass Known: pass", known_module.__dict__)
        known_instance = known_module.Known()
        scope = {}; exec("z = [3]\\ndef in_scope(): return z", scope); in_scope = scope["in_scope"]
        """,
        """
        made_module.get() is made_module.x and made_module.__doc__ == "Its text." and made_get is made_module.get
        made_get.__globals__ is vars(made_module) and made_thing.get() is made_module.x
        type(made_thing) is made_module.Thing
        __import__("known_module") is known_module and known_module.put(5) is None and known_module.y == 5
        type(known_instance) is known_module.Known and in_scope() is scope["z"] and in_scope.__globals__ is scope
        """,
    ),
]

THEMES = {"Functions": FUNCTIONS, "Modules": MODULES}
