"""What is saved: the code that fills a namespace, and what must hold when it is back."""

from __future__ import annotations

from typing import NamedTuple


class Namespace(NamedTuple):
    title: str
    code: str
    truths: tuple[str, ...]
    imports: tuple[str, ...] = ()


NAMESPACES = {
    "small": Namespace(
        "20 small variables",
        """
import math, datetime, re
numbers = list(range(10)); alias = numbers; text = "x" * 100; table = {"a": numbers, "b": (1, 2)}
def area(r): return math.pi * r * r * factor
factor = 2
class Point:
    def __init__(self, x): self.x = x
point = Point(3); when = datetime.datetime(2026, 1, 1); pattern = re.compile("a+")
a, b, c, d, e, f, g = 1, 2.0, "three", b"four", None, True, {5}
nested = [[[1], [2]], {"deep": [point]}]
square = lambda x: x * x
""",
        ("numbers == list(range(10))", "table['a'][3] == 3", "area(1) > 6", "point.x == 3", "square(3) == 9"),
    ),
    "172 MB": Namespace(
        "172 MB of pandas and numpy",
        """
import numpy as np, pandas as pd
rng = np.random.default_rng(1)
frame = pd.DataFrame({f"f{i}": rng.random(1_000_000) for i in range(16)})
frame["when"] = pd.date_range("2020-01-01", periods=1_000_000, freq="s")
array = rng.random(4_500_000)
first, total = float(array[0]), float(frame.f3.sum())
""",
        ("float(array[0]) == first", "abs(float(frame.f3.sum()) - total) < 1e-6", "len(frame.columns) == 17"),
        ("numpy", "pandas"),
    ),
    "forest": Namespace(
        "random forest of 100 trees",
        """
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
X, y = make_classification(5_000, 20, random_state=1)
forest = RandomForestClassifier(100, random_state=1).fit(X, y)
score = forest.score(X, y)
""",
        ("forest.score(X, y) == score",),
        ("sklearn.ensemble", "sklearn.datasets"),
    ),
    "objects": Namespace(
        "a million Python objects",
        """
class Row:
    def __init__(self, i): self.i, self.name, self.tags = i, f"row {i}", [i, i + 1]
rows = [Row(i) for i in range(250_000)]
pairs = {f"k{i}": (i, float(i)) for i in range(250_000)}
""",
        ("rows[7].tags == [7, 8]", "pairs['k9'] == (9, 9.0)", "type(rows[0]) is Row", "len(rows) == 250_000"),
    ),
}
