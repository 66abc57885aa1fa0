"""Kinds of objects: data."""

from __future__ import annotations

from .kinds import kept

THEMES = {
    "Names and identity": [
        kept(
            "two names for one object, one object in two containers",
            """
            shared = [1]; also_shared = shared
            holders = {"one": shared, "pair": (shared, [shared])}
            """,
            """
            also_shared is shared and holders["one"] is shared and holders["pair"][1][0] is shared
            shared.append(2) is None and also_shared == [1, 2] == holders["pair"][0]
            """,
        ),
        kept(
            "cycles",
            """
            cyclic_list = []; cyclic_list.append(cyclic_list)
            cyclic_dict = {}; cyclic_dict["me"] = (cyclic_dict, {"again": cyclic_dict})
            class Node:
                def __init__(self, parent=None): self.parent, self.children = parent, []
            root_node = Node(); root_node.children.append(Node(root_node))
            """,
            """
            cyclic_list[0] is cyclic_list
            cyclic_dict["me"][0] is cyclic_dict is cyclic_dict["me"][1]["again"]
            root_node.children[0].parent is root_node and type(root_node) is Node
            """,
        ),
        kept(
            "5,000 levels of nesting",
            """
            nested = []
            for _level in range(5000): nested = [nested]
            class Link:
                def __init__(self, next): self.next = next
            linked = None
            for _level in range(5000): linked = Link(linked)
            def levels(value, step):
                count = 0
                while value: count, value = count + 1, step(value)
                return count
            """,
            """
            levels(nested, lambda each: each[0]) == 5000
            levels(linked, lambda each: each.next) == 5000
            """,
        ),
        kept("the namespace itself", "everything = globals()", "everything is globals()"),
    ],
    "Data": [
        kept(
            "numbers, text, bytes, None, booleans",
            """
            numbers = (1, 10**400, -0.0, float("inf"), float("nan"), 1 + 2j, True, None)
            texts = ("é", "\\ud800", "", b"\\x00\\xff", bytearray(b"ab"))
            """,
            """
            numbers[:2] == (1, 10**400) and str(numbers[2]) == "-0.0" and numbers[4] != numbers[4]
            numbers[5:] == (1 + 2j, True, None)
            texts == ("é", "\\ud800", "", b"\\x00\\xff", b"ab") and type(texts[4]) is bytearray
            """,
        ),
        kept(
            "`list`, `tuple`, `dict`, `set`, `frozenset`, `range`, `slice`, `Ellipsis`, `NotImplemented`",
            """
            containers = [[1], (2,), {"b": 1, "a": 2}, {3}, frozenset({4}), range(1, 9, 2), slice(1, None, 2)]
            singletons = (..., NotImplemented, type(None), type(...))
            """,
            """
            containers[:5] == [[1], (2,), {"b": 1, "a": 2}, {3}, frozenset({4})] and list(containers[2]) == ["b", "a"]
            containers[5:] == [range(1, 9, 2), slice(1, None, 2)]
            singletons[0] is ... and singletons[1] is NotImplemented
            singletons[2] is type(None) and singletons[3] is type(...)
            """,
        ),
        kept(
            "a sentinel made by `object()`, sentinels of libraries",
            """
            import dataclasses, inspect
            SENTINEL = object(); with_sentinel = {"x": SENTINEL}
            from unittest.mock import DEFAULT, sentinel
            sentinels = [dataclasses.MISSING, inspect.Parameter.empty, sentinel.mine, DEFAULT]
            """,
            """
            with_sentinel["x"] is SENTINEL
            sentinels[0] is dataclasses.MISSING and sentinels[1] is inspect.Parameter.empty
            sentinels[2] is sentinel.mine and sentinels[3] is DEFAULT
            """,
        ),
        kept(
            "`Counter`, `defaultdict`, `deque`, `OrderedDict`, `ChainMap`, `UserDict`, `SimpleNamespace`",
            """
            import collections, types
            counter = collections.Counter("abca")
            grouped = collections.defaultdict(list, {"a": [1]})
            by_lambda = collections.defaultdict(lambda: len(by_lambda))
            recent = collections.deque([1, 2, 3], maxlen=3)
            ordered = collections.OrderedDict(b=1, a=2)
            front = {"k": 1}; chained = collections.ChainMap(front, {"z": 2})
            user_dict = collections.UserDict(a=1)
            simple = types.SimpleNamespace(x=1); simple.me = simple
            """,
            """
            counter.most_common(1) == [("a", 2)] and grouped["b"] == [] and by_lambda["x"] == 0
            recent.append(4) is None and list(recent) == [2, 3, 4]
            list(ordered) == ["b", "a"] and ordered.move_to_end("b") is None
            chained.maps[0] is front and chained["z"] == 2 and user_dict["a"] == 1
            simple.x == 1 and simple.me is simple
            """,
        ),
        kept(
            "`MappingProxyType`, views of a dict",
            """
            behind = {"a": 1}; proxy = types.MappingProxyType(behind)
            view_of_keys, view_of_values, view_of_items = behind.keys(), behind.values(), behind.items()
            view_of_ordered = ordered.keys()
            """,
            """
            behind.update(b=2) is None and proxy["b"] == 2
            behind.update(b=2) is None and list(view_of_keys) == ["a", "b"] and list(view_of_values) == [1, 2]
            set(view_of_items) == set(behind.items()) and set(view_of_ordered) == {"a", "b"}
            """,
            "they still follow their dict",
        ),
        kept(
            "`bytearray`, `memoryview`, `array.array`",
            """
            import array
            raw = bytearray(b"abcdef"); viewed = memoryview(raw); part_viewed = viewed[2:4]
            readonly_view = memoryview(b"xyz")[1:]
            doubles = array.array("d", [1, 2.5]); doubles_view = memoryview(doubles)
            squares = memoryview(bytes(4)).cast("B", (2, 2))
            """,
            """
            raw.__setitem__(2, 0x7A) is None and viewed[2] == part_viewed[0] == 0x7A
            viewed.obj is raw and not viewed.readonly
            readonly_view.readonly and readonly_view == b"yz"
            doubles.typecode == "d" and doubles_view.format == "d" and doubles_view[1] == 2.5
            doubles_view.obj is doubles and squares.shape == (2, 2)
            """,
            "a view shares memory with what it views",
        ),
        kept(
            "`datetime`, `zoneinfo`, `Decimal`, `Fraction`, `UUID`, `Path`, `IPv4Address`",
            """
            import datetime, decimal, fractions, ipaddress, pathlib, uuid, zoneinfo
            moment = datetime.datetime(2024, 3, 31, 1, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=1)
            offsets = (datetime.timezone.utc, datetime.timedelta(hours=1), datetime.date(2024, 2, 29), datetime.time(1))
            exact = (decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=5))
            places = (pathlib.Path("a") / "b", pathlib.PurePosixPath("/x"), ipaddress.ip_network("10.0.0.0/8"))
            """,
            """
            moment.fold == 1 and moment.tzinfo is zoneinfo.ZoneInfo("Europe/Berlin")
            offsets[0] is datetime.timezone.utc and offsets[2].year == 2024
            str(exact[0]) == "1.10" and exact[1] * 3 == 1 and exact[2].int == 5
            places[0] == pathlib.Path("a/b") and ipaddress.ip_address("10.1.2.3") in places[2]
            """,
        ),
        kept(
            "`re` patterns and matches",
            """
            import re
            pattern = re.compile(r"(?P<word>[a-z]+)(\\d)?", re.I)
            match = pattern.search("  Abc1 ", 1)
            matches = list(pattern.finditer("a1 b"))
            """,
            """
            pattern.fullmatch("ABC") and pattern.flags & re.I
            match["word"] == "Abc" and match.span() == (2, 6) and match.re is pattern and match.pos == 1
            [each.groups() for each in matches] == [("a", "1"), ("b", None)] and matches[1].start() == 3
            """,
        ),
        kept(
            "exceptions",
            """
            class Refused(ValueError):
                def __init__(self, who, *, code):
                    super().__init__(f"{who} refused")
                    self.who, self.code = who, code
            class Unwell(OSError):
                def __init__(self, message): super().__init__(5, message)
            try:
                try: raise KeyError("k")
                except KeyError as error: raise Refused("bob", code=7) from error
            except Refused as error: refused = error
            refused.add_note("noted")
            unwell = Unwell("bad")
            grouped_errors = ExceptionGroup("two", [refused, OSError(2, "none", "f")])
            undecodable = UnicodeDecodeError("utf-8", b"x", 0, 1, "why")
            stopped, left = StopIteration(5), SystemExit(3)
            """,
            """
            str(refused) == "bob refused" and (refused.who, refused.code) == ("bob", 7)
            refused.__notes__ == ["noted"]
            type(refused.__cause__) is KeyError and refused.__cause__.args == ("k",) and refused.__suppress_context__
            refused.__traceback__ is None and isinstance(refused, Refused)
            grouped_errors.exceptions[0] is refused and grouped_errors.exceptions[1].filename == "f"
            type(grouped_errors.exceptions[1]) is FileNotFoundError and undecodable.reason == "why"
            unwell.errno == 5 and unwell.strerror == "bad" and stopped.value == 5 and left.code == 3
            """,
            "with attributes, notes and causes, without their tracebacks",
        ),
        kept(
            "states of random numbers",
            """
            import random
            random.seed(5); own_random = random.Random(6); own_random.random()
            system_random = random.SystemRandom()
            next_numbers = [random.random() for _ in range(3)]; random.seed(5)
            next_own = random.Random(6); next_own.random(); next_own = next_own.random()
            """,
            """
            (random.seed(5), [random.random() for _ in range(3)])[1] == next_numbers
            own_random.random() == next_own and 0 <= system_random.random() < 1
            """,
            "those of `random` and of numpy's old functions go on too, though no variable holds them",
        ),
    ],
    "Iterators": [
        kept(
            "iterators over containers and ranges, `enumerate`, `zip`, `map`, `filter`, `reversed`",
            """
            source = [1, 2, 3, 4]
            part_way = iter(source); next(part_way)
            of_dict = iter({"a": 1, "b": 2}); next(of_dict)
            of_range = iter(range(5)); next(of_range)
            backwards, numbered_lines = reversed(source), enumerate(["x", "y"], 1)
            zipped = zip(part_way, of_range)
            mapped, filtered = map(lambda x: x * 2, [1, 2]), filter(lambda x: x > 1, [1, 2, 3])
            characters = iter("abc"); next(characters)
            """,
            """
            list(zipped) == [(2, 1), (3, 2), (4, 3)]
            list(of_dict) == ["b"] and next(backwards) == 4 and list(numbered_lines) == [(1, "x"), (2, "y")]
            list(mapped) == [2, 4] and list(filtered) == [2, 3] and "".join(characters) == "bc"
            """,
            "where they had come to; an iterator over a dict goes on over a copy of its keys",
        ),
        kept(
            "`itertools`",
            """
            import itertools
            counting = itertools.count(5); next(counting)
            cycling = itertools.cycle("ab"); next(cycling)
            chained_iterators = itertools.chain([1], [2])
            pairs = itertools.product("ab", [1, 2]); next(pairs)
            sliced = itertools.islice(itertools.count(), 3, 6)
            """,
            """
            next(counting) == 6 and next(cycling) == "b" and list(chained_iterators) == [1, 2]
            list(pairs) == [("a", 2), ("b", 1), ("b", 2)] and list(sliced) == [3, 4, 5]
            """,
            "up to Python 3.13: from 3.14 on they refuse to be pickled, and a placeholder stands for them",
        ),
    ],
}
