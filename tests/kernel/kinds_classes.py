"""Kinds of objects: classes that cells define, and their instances."""

from __future__ import annotations

from .kinds import kept

CLASSES = [
    kept(
        "classes and their instances, inheritance, `super()`, properties, class and static methods",
        """
        class Animal:
            population = []
            def __init__(self, name): self.name = name; Animal.population.append(self)
            def speak(self): return f"{self.name} {assigned_later}"
            @property
            def loud(self): return self.speak().upper()
            @loud.setter
            def loud(self, value): self.name = value
            @classmethod
            def make(cls, name): return cls(name)
            @staticmethod
            def plain(): return "plain"
            class Nested: pass
        class Dog(Animal):
            def speak(self): return super().speak() + "!"
            def __class_getitem__(cls, item): return item
            def __call__(self): return self.name
        rex = Dog.make("rex"); rex_speak = rex.speak; make_dog = Dog.make
        nested_instance = Animal.Nested()
        """,
        """
        rex.speak() == "rex late!" == rex_speak() and rex.loud == "REX LATE!" and rex() == "rex"
        isinstance(rex, Animal) and type(rex) is Dog and Animal.population[0] is rex and rex_speak.__self__ is rex
        make_dog.__self__ is Dog and Dog.plain() == "plain" and Dog[1] == 1 and type(nested_instance) is Animal.Nested
        Animal.speak.__globals__ is globals() and Dog.__mro__ == (Dog, Animal, object)
        setattr(rex, "loud", "max") is None and rex.name == "max"
        """,
    ),
    kept(
        "`__slots__`, `__getattr__`, descriptors, own `__reduce__` and `__getstate__`",
        """
        class Slotted:
            __slots__ = ("a", "b", "__weakref__")
        class SlottedChild(Slotted):
            __slots__ = "c"
        slotted = SlottedChild(); slotted.a, slotted.c = 1, slotted
        class Open:
            def __getattr__(self, name): return name
            def __getitem__(self, key): return key
        open_object = Open()
        class Delegating:
            def __init__(self, inner): self.inner = inner
            def __getattr__(self, name): return getattr(self.inner, name)
        delegating = Delegating("abc")
        class Frugal:
            def __new__(cls, x): self = super().__new__(cls); self.x = x; return self
        frugal = Frugal(5)
        class Positive:
            def __set_name__(self, owner, name): self.name = "_" + name
            def __get__(self, instance, owner): return self if instance is None else getattr(instance, self.name)
            def __set__(self, instance, value): setattr(instance, self.name, abs(value))
        class Account:
            balance = Positive()
        account = Account(); account.balance = -5
        class OwnState:
            def __init__(self): self.x, self.unwanted = 1, 2
            def __getstate__(self): return {"x": self.x}
            def __setstate__(self, state): self.__dict__.update(state, restored=True)
        own_state = OwnState()
        class OwnReduce:
            def __init__(self, x): self.x = x
            def __reduce__(self): return OwnReduce, (self.x,)
        own_reduce = OwnReduce([shared])
        """,
        """
        slotted.a == 1 and slotted.c is slotted and not hasattr(slotted, "b") and not hasattr(slotted, "__dict__")
        delegating.upper() == "ABC" and frugal.x == 5 and type(frugal) is Frugal
        open_object.anything == "anything" and open_object[1] == 1
        account.balance == 5 and setattr(account, "balance", -6) is None and account.balance == 6
        own_state.restored and own_state.x == 1 and not hasattr(own_state, "unwanted") and own_reduce.x[0] is shared
        """,
    ),
    kept(
        "subclasses of built-in types",
        """
        class Registry(dict):
            def __missing__(self, key): return key
        registry = Registry(a=1); registry.extra = [registry]
        Old = collections.namedtuple("Old", "a b", defaults=[5])
        class Words(list): pass
        words = Words("ab"); words.language = "en"
        class Name(str): pass
        name = Name("n"); name.owner = "me"
        class Celsius(float):
            def __new__(cls, value, unit="C"):
                self = super().__new__(cls, value); self.unit = unit; return self
        celsius = Celsius(3, unit="K")
        class Two(tuple):
            def __new__(cls, a, b): return super().__new__(cls, (a, b))
        class Half(Old):
            def __new__(cls, a): return super().__new__(cls, a, a)
        class KeepsKeys(dict):
            def __new__(cls, keys): return super().__new__(cls)
            def __init__(self, keys): self.keys_kept = keys
        two, half, keeps_keys = Two(1, 2), Half(4), KeepsKeys([1]); keeps_keys["k"] = 1
        """,
        """
        registry["x"] == "x" and registry["a"] == 1 and registry.extra[0] is registry
        words == ["a", "b"] and words.language == "en" and name == "n" and name.owner == "me"
        celsius == 3 and celsius.unit == "K" and type(two) is Two and two == (1, 2)
        type(half) is Half and half == (4, 4) and keeps_keys == {"k": 1} and keeps_keys.keys_kept == [1]
        """,
    ),
    kept(
        "dataclasses: frozen, slots, defaults, inheritance",
        """
        import typing
        @dataclasses.dataclass
        class Point:
            x: int
            tags: list = dataclasses.field(default_factory=list, metadata={"unit": "m"})
            scale: dataclasses.InitVar[int] = 1
            count: typing.ClassVar[int] = 0
        @dataclasses.dataclass(frozen=True, order=True)
        class Frozen:
            x: int = 5
        @dataclasses.dataclass(slots=True, kw_only=True)
        class SlottedPoint:
            x: int
            y: int = 2
        @dataclasses.dataclass(frozen=True, slots=True)
        class FrozenSlots:
            x: int
        def inherited(): return dataclasses.make_dataclass("Point3", [("z", int, 1)], bases=(Point,))
        point, frozen, slotted_point, frozen_slots = Point(1, ["t"]), Frozen(), SlottedPoint(x=1), FrozenSlots(3)
        by_frozen = {frozen: 1, frozen_slots: 2}
        """,
        """
        point == Point(1, ["t"]) and dataclasses.asdict(point) == {"x": 1, "tags": ["t"]}
        Point(2).tags == [] and dataclasses.fields(Point)[1].metadata["unit"] == "m" and dataclasses.is_dataclass(point)
        dataclasses.fields(Point)[0].default is dataclasses.MISSING
        [field.name for field in dataclasses.fields(inherited())] == ["x", "tags", "z"]
        frozen < Frozen(6) and by_frozen[Frozen(5)] == 1 and by_frozen[FrozenSlots(3)] == 2
        slotted_point == SlottedPoint(x=1) and dataclasses.replace(slotted_point, x=9).x == 9
        not hasattr(slotted_point, "__dict__") and frozen_slots == FrozenSlots(3)
        """,
    ),
    kept(
        "`Enum`, `IntEnum`, `Flag`, `StrEnum`",
        """
        import enum
        class Colour(enum.Enum):
            RED = 1
            BLUE = 2
            CRIMSON = 1
            def nice(self): return self.name.title()
        class Level(enum.IntEnum):
            LOW = enum.auto()
            HIGH = enum.auto()
        class Right(enum.Flag):
            READ = enum.auto()
            WRITE = enum.auto()
            BOTH = READ | WRITE
        class Mode(enum.StrEnum):
            FAST = enum.auto()
        class Planet(enum.Enum):
            EARTH = (5.9, 6.3)
            def __init__(self, mass, radius): self.mass, self.radius = mass, radius
        class Coded(enum.Enum):
            def __new__(cls, code, label):
                self = object.__new__(cls); self._value_ = code; self.label = label; return self
            A = ("a", "the first")
        class Unknown(enum.Enum):
            X = 1
            @classmethod
            def _missing_(cls, value): return cls.X
        red, high, rights, fast = Colour.RED, Level.HIGH, Right.READ | Right.WRITE, Mode.FAST
        in_dict = {Colour.BLUE: Level.LOW}
        """,
        """
        red is Colour.RED is Colour(1) is Colour["CRIMSON"] is Colour.CRIMSON and red.nice() == "Red"
        list(Colour) == [Colour.RED, Colour.BLUE] and list(Colour.__members__) == ["RED", "BLUE", "CRIMSON"]
        high is Level.HIGH and high == 2 and high > Level.LOW and in_dict[Colour.BLUE] is Level.LOW
        Right.READ in rights and rights is Right.BOTH and ~Right.READ is Right.WRITE and Right(0) is not None
        fast == "fast" and Planet.EARTH.mass == 5.9 and Planet((5.9, 6.3)) is Planet.EARTH
        Coded("a") is Coded.A and Coded.A.label == "the first" and Unknown(99) is Unknown.X
        """,
    ),
    kept(
        "abstract classes, `Protocol`, `Generic`, `TypeVar`, `ParamSpec`, `NewType`, `TypedDict`, `NamedTuple`",
        """
        import abc, typing
        class Shape(abc.ABC):
            @abc.abstractmethod
            def area(self): ...
        class Square(Shape):
            def area(self): return 4
        class Virtual: pass
        Shape.register(Virtual)
        T = typing.TypeVar("T", bound=int); P = typing.ParamSpec("P"); UserId = typing.NewType("UserId", int)
        class Box(typing.Generic[T]):
            def __init__(self, item: T): self.item = item
        class IntBox(Box[int]): pass
        @typing.runtime_checkable
        class Closable(typing.Protocol):
            def close(self) -> None: ...
        class Movie(typing.TypedDict, total=False):
            title: str
        class Pair(typing.NamedTuple):
            left: int
            right: int = 2
            def total(self): return self.left + self.right
        box, int_box, square_shape, movie, pair, old = Box(1), IntBox(2), Square(), Movie(title="t"), Pair(1), Old(1)
        hints = (list[int], typing.Optional[Box[int]], typing.Callable[P, T], int | None, UserId, typing.Literal["a"])
        """,
        """
        isinstance(square_shape, Shape) and issubclass(Virtual, Shape) and Shape.__abstractmethods__ == {"area"}
        box.item == 1 and Box[int].__origin__ is Box and Box.__parameters__ == (T,)
        IntBox.__orig_bases__ == (Box[int],) and T.__bound__ is int and P.__name__ == "P"
        UserId(5) == 5 and UserId.__supertype__ is int and hints[4] is UserId
        hints[0] == list[int] and hints[1].__args__[0].__origin__ is Box and hints[2].__args__ == (P, T)
        not isinstance(int_box, Closable) and isinstance(type("C", (), {"close": 1})(), Closable)
        movie == {"title": "t"} and Movie.__optional_keys__ == {"title"}
        typing.get_type_hints(Movie) == {"title": str}
        pair == (1, 2) and pair.total() == 3 and Pair(3).right == 2 and old.b == 5 and old._replace(a=2).a == 2
        """,
    ),
    kept(
        "metaclasses, `__init_subclass__` with arguments, classes made by `type()`",
        """
        class Meta(type):
            made = []
            def __new__(mcls, name, bases, namespace, **options):
                cls = super().__new__(mcls, name, bases, namespace); Meta.made.append(name); cls.options = options
                return cls
            def __init__(cls, name, bases, namespace, **options):
                super().__init__(name, bases, namespace); cls.required = namespace["required"]
            def __call__(cls, *args): return super().__call__(*args)
            @property
            def shout(cls): return cls.__name__.upper()
        class WithMeta(metaclass=Meta, colour="red"): required = 1
        class Single(type):
            instances = {}
            def __call__(cls):
                if cls not in cls.instances: cls.instances[cls] = super().__call__()
                return cls.instances[cls]
        class Config(metaclass=Single): pass
        config = Config()
        class Plugin:
            plugins = {}
            def __init_subclass__(cls, *, key, **rest): super().__init_subclass__(**rest); Plugin.plugins[key] = cls
        class CsvPlugin(Plugin, key="csv"): pass
        class KeyedOnly:
            def __init_subclass__(cls, *, key): cls.key = key
        class Keyed(KeyedOnly, key=1): pass
        with_meta = WithMeta(); by_type = type("ByType", (Animal,), {"x": 1})("by")
        """,
        """
        type(WithMeta) is Meta and WithMeta.shout == "WITHMETA" and Meta.made == ["WithMeta"]
        WithMeta.options == {"colour": "red"} and WithMeta.required == 1 and isinstance(with_meta, WithMeta)
        Config() is config and Plugin.plugins == {"csv": CsvPlugin} and Keyed.key == 1
        by_type.x == 1 and by_type.speak() == "by late" and type(by_type).__name__ == "ByType"
        """,
        "as they were; the hooks do not run once more",
    ),
]

THEMES = {"Classes": CLASSES}
