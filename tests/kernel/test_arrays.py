"""numpy in snapshots: memory that was shared is shared; large buffers are kept apart, once, as far as they are used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.conftest import Kernel, place_of

CELLS = """
import numpy as np, pandas as pd
big = np.arange(100_000.0)
row, back, every = big[10:20], big[::-1], big[5::7].reshape(5, -1)[:, ::2]
same = big
grid = np.arange(40_000).reshape(200, 200)
turned, corner, flat = grid.T, grid[50:60, 50:60], grid.ravel()
order = np.asfortranarray(np.arange(60_000.0).reshape(300, 200))
mixed = np.empty((20, 30, 40)).transpose(1, 0, 2).copy("K"); mixed[:] = np.arange(24_000).reshape(mixed.shape)
part_of_mixed = mixed[3]
small = np.arange(10); tail = small[5:]; bits = small.view("u1")
wide = np.broadcast_to(np.arange(3), (1000, 3))
rolling = np.lib.stride_tricks.sliding_window_view(big, 3)
when = np.datetime64("2020-01-01") + np.arange(50_000); span = when[10:20]
table = np.zeros(20_000, [("x", "f8"), ("name", "S8")]); xs = table["x"]
read_only = np.arange(50_000); read_only.flags.writeable = False
words = np.array(["a", "bc"] * 20_000); some_words = words[::2]
things = np.array([{"k": 1}, None, "x"], dtype=object)
zero_d, empty = np.array(5.0), np.empty((0, 3))
masked = np.ma.masked_less(np.arange(20_000), 5)
huge = np.arange(1_000_000); only = huge[500_000:500_010]; del huge
raw = bytearray(100_000); over = np.frombuffer(raw, "u1")
class Kept:
    def __init__(self, a): self.a = a
holder = Kept(big); listed = [big[:3], big[1:4]]
frame = pd.DataFrame({"f": np.arange(30_000.0), "t": pd.date_range("2020", periods=30_000), "s": ["x"] * 30_000})
frame["c"] = pd.Categorical(["a", "b", "c"] * 10_000)
series = frame["f"]; grouped = frame.groupby("c")
"""

TRUTHS = [
    "(big == np.arange(100_000.0)).all() and big.flags.writeable and big is same",
    "row.tolist() == list(range(10, 20))",
    "(back == big[::-1]).all() and np.shares_memory(back, big)",
    "(every == big[5::7].reshape(5, -1)[:, ::2]).all() and every.strides == big[5::7].reshape(5, -1)[:, ::2].strides",
    "[big.__setitem__(12, -1.0), row[2] == -1.0, back[-13] == -1.0, big.__setitem__(12, 12.0)][1:3] == [True, True]",
    "np.shares_memory(turned, grid) and (turned == grid.T).all() and turned.strides == grid.T.strides",
    "np.shares_memory(corner, grid) and np.shares_memory(flat, grid) and corner[0, 0] == 50 * 200 + 50",
    "order.flags.f_contiguous and (order == np.arange(60_000.0).reshape(300, 200)).all()",
    "(mixed == np.arange(24_000).reshape(30, 20, 40)).all() and np.shares_memory(part_of_mixed, mixed)",
    "(part_of_mixed == mixed[3]).all()",
    "np.shares_memory(tail, small) and np.shares_memory(bits, small) and tail.tolist() == [5, 6, 7, 8, 9]",
    "wide.shape == (1000, 3) and wide.strides[0] == 0 and not wide.flags.writeable",
    "(rolling[5] == [5, 6, 7]).all() and np.shares_memory(rolling, big)",
    "when[-1] == np.datetime64('2020-01-01') + 49_999 and np.shares_memory(span, when)",
    "table.dtype.names == ('x', 'name') and np.shares_memory(xs, table)",
    "not read_only.flags.writeable and read_only[7] == 7",
    "some_words[1] == 'a' and np.shares_memory(some_words, words)",
    "things[0] == {'k': 1} and things[1] is None",
    "zero_d == 5.0 and zero_d.shape == () and empty.shape == (0, 3)",
    "masked.sum() == sum(range(5, 20_000))",
    "only.tolist() == list(range(500_000, 500_010))",
    "over.nbytes == 100_000 and over.flags.writeable",
    "holder.a is big and np.shares_memory(listed[0], listed[1]) and np.shares_memory(listed[0], big)",
    "frame['f'].sum() == sum(range(30_000)) and frame['t'].iloc[-1] == pd.date_range('2020', periods=30_000)[-1]",
    "frame['c'].cat.categories.tolist() == ['a', 'b', 'c'] and grouped['f'].sum()['a'] == sum(range(0, 30_000, 3))",
    "np.shares_memory(series.to_numpy(), frame['f'].to_numpy())",
    "frame.assign(g=1).iloc[0]['g'] == 1",
]


@pytest.fixture(scope="module")
def generations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Kernel], list[dict[str, Any]]]]:
    """Kernels of three generations, each but the first filled from the checkpoint of the one before; all answers."""
    folder = tmp_path_factory.mktemp("notebooks")
    kernels: list[Kernel] = []
    answers: list[dict[str, Any]] = []
    for generation in range(3):
        kernels.append(kernel := Kernel(folder))
        kernel.prepare()
        if generation:
            loaded = kernel.load(folder / f"{generation - 1}.snapshot", answers[-1]["digest"])
            assert loaded["status"] == "ok", loaded
        else:
            ran = kernel.step(CELLS, step="cells")
            assert ran.reply["status"] == "ok", ran.reply
        answers.append(kernel.save(folder / f"{generation}.snapshot"))
    yield kernels, answers
    for kernel in kernels:
        kernel.close()


@pytest.fixture(params=[0, 1, 2], ids=["first", "second", "third"])
def kernel(request: pytest.FixtureRequest, generations: tuple[list[Kernel], list[dict[str, Any]]]) -> Kernel:
    return generations[0][request.param]  # type: ignore[no-any-return]


@pytest.mark.parametrize("truth", TRUTHS)
def test_arrays_come_back(kernel: Kernel, truth: str) -> None:
    assert kernel.value(f"bool({truth})") == "True"


def test_a_second_checkpoint_writes_nothing_large(generations: tuple[list[Kernel], list[dict[str, Any]]]) -> None:
    first, second, third = generations[1]
    assert first["size"] > 4_000_000
    for answer in (second, third):
        assert answer["stored"] < 200_000
        assert abs(answer["size"] - first["size"]) < 100_000


def test_the_plan_names_size_and_what_is_shared(generations: tuple[list[Kernel], list[dict[str, Any]]]) -> None:
    variables = {variable["name"]: variable for variable in generations[1][0]["variables"]}
    assert variables["big"]["size"] > 800_000
    assert {"same", "row", "back", "every", "rolling", "holder", "listed"} <= set(variables["big"]["shared"])
    assert variables["only"]["size"] < 20_000
    assert variables["zero_d"]["shared"] == []


def test_one_change_writes_little(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    kernel.prepare()
    kernel.step(
        "import numpy as np\nfirst, second = np.ones(500_000), np.zeros(500_000)\nrows = [[i] for i in range(200_000)]"
    )
    kernel.save(tmp_path / "0.snapshot")
    kernel.step("second[3] = 1")
    changed = kernel.save(tmp_path / "1.snapshot")
    stored = {variable["name"]: variable["stored"] for variable in changed["variables"]}
    assert stored["first"] < 1_000
    assert stored["rows"] == 0
    assert 4_000_000 <= stored["second"] < 4_001_000
    kernel.step("rows.append(0)")
    kernel.save(tmp_path / "2.snapshot")
    kernel.step("rows.append(0); first[0] = 3")
    stored = {v["name"]: v["stored"] for v in kernel.save(tmp_path / "3.snapshot")["variables"]}
    assert stored["second"] < 1_000
    kernel.close()


def test_a_limit_names_the_largest(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    kernel.prepare()
    kernel.step("import numpy as np\nlarge, less = np.ones(500_000), np.zeros(50_000)")
    arguments = f"{place_of(tmp_path / 's')!r}, 's', '1000000'"
    call = f"__import__('flownb.kernel.snapshot', fromlist=['save']).save({arguments})"
    answer = kernel.execute("", call, silent=True).reply["user_expressions"]["flownb"]
    assert answer["ename"] == "SnapshotTooLarge"
    assert (
        "a checkpoint may take 1,000,000 (c.FlowNB.max_snapshot_bytes). The largest: large 4,000," in answer["evalue"]
    )
    assert list(tmp_path.iterdir()) == []
    kernel.close()
