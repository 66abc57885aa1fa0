"""Kinds of objects: what the standard library and Jupyter put into a notebook."""

from __future__ import annotations

from .kinds import anew, kept, lost

LIBRARY = [
    kept(
        "weak references, `WeakValueDictionary`, `WeakKeyDictionary`, `WeakSet`",
        """
        import weakref
        class Target: pass
        target = Target()
        weak, weak_method, weak_proxy = weakref.ref(target), weakref.WeakMethod(rex.speak), weakref.proxy(rex)
        dead_weak = weakref.ref(Target())
        weak_values = weakref.WeakValueDictionary(t=target)
        weak_keys, weak_set = weakref.WeakKeyDictionary({target: 1}), weakref.WeakSet([target])
        class Child:
            def __init__(self, parent): self.parent = weakref.ref(parent)
        parent = Target(); parent.child = Child(parent)
        """,
        """
        weak() is target and dead_weak() is None and weak_proxy.name == rex.name and weak_method().__self__ is rex
        weak_values["t"] is target and weak_keys[target] == 1 and target in weak_set and len(weak_set) == 1
        parent.child.parent() is parent
        (weak_values.__setitem__("tmp", Target()), len(weak_values))[1] == 1
        """,
        "to what is still there; a dead one stays dead",
    ),
    kept(
        "loggers",
        """
        import logging, sys
        logger = logging.getLogger("mine.too"); logger.setLevel(logging.DEBUG); logger.propagate = False
        handler = logging.StreamHandler(sys.stdout); handler.setFormatter(logging.Formatter("%(message)s!"))
        logger.addHandler(handler)
        adapter = logging.LoggerAdapter(logger, {"who": "me"})
        """,
        """
        logger is logging.getLogger("mine.too") and logger.level == logging.DEBUG and not logger.propagate
        logger.handlers == [handler] and handler.stream is sys.stdout and handler.formatter._fmt == "%(message)s!"
        adapter.logger is logger and logger.info("said") is None
        """,
        "with level and handlers; what a logger that no variable leads to was told (`basicConfig`) is not kept",
    ),
    kept(
        "`argparse`, `configparser`, `unittest.mock`, `io.StringIO`, `warnings`, `struct`, `hashlib` digests",
        """
        import argparse, configparser, io, struct, unittest.mock, warnings, textwrap
        parser = argparse.ArgumentParser(prog="p"); parser.add_argument("--n", type=int, default=1)
        parsed = parser.parse_args(["--n", "3"])
        ini = configparser.ConfigParser(); ini.read_string("[a]\\nb = 1")
        mocked = unittest.mock.Mock(return_value=5); mocked.inner.deep.return_value = 6; mocked(1)
        magic = unittest.mock.MagicMock(spec=Animal)
        text_buffer = io.StringIO("one\\ntwo"); text_buffer.readline()
        byte_buffer = io.BytesIO(b"abc"); byte_buffer.read(1)
        packer = struct.Struct("<i"); digest = __import__("hashlib").sha256(b"").hexdigest()
        warned = UserWarning("careful"); wrapper = textwrap.TextWrapper(width=5)
        """,
        """
        parser.parse_args(["--n", "7"]).n == 7 and parsed.n == 3 and ini["a"]["b"] == "1"
        mocked() == 5 and mocked.inner.deep() == 6 and mocked.call_args_list[0] == unittest.mock.call(1)
        isinstance(magic, Animal) and magic.speak() is magic.speak()
        text_buffer.read() == "two" and byte_buffer.read() == b"bc"
        packer.unpack(b"\\1\\0\\0\\0") == (1,) and digest.startswith("e3b0c") and str(warned) == "careful"
        """,
    ),
    kept(
        "rows and results of `sqlite3`",
        """
        import sqlite3
        _opened = sqlite3.connect(":memory:"); _opened.row_factory = sqlite3.Row
        rows = _opened.execute("select 1 as a, 'x' as b union select 2, 'y'").fetchall()
        _opened.close(); del _opened
        """,
        """
        [tuple(row) for row in rows] == [(1, "x"), (2, "y")] and rows[0]["b"] == "x" and rows[0].keys() == ["a", "b"]
        """,
    ),
    kept(
        "context managers that were not entered",
        """
        exit_stack, silent = contextlib.ExitStack(), contextlib.suppress(KeyError)
        nothing = contextlib.nullcontext(5)
        """,
        """
        exit_stack.__enter__() is exit_stack and exit_stack.enter_context(nothing) == 5
        silent.__exit__(KeyError, None, None)
        """,
    ),
]

LOCKS = [
    anew(
        "`Lock`, `RLock`, `Condition`, `Event`, `Semaphore`, `Barrier`, and objects that hold them",
        """
        import threading
        lock, rlock, condition = threading.Lock(), threading.RLock(), threading.Condition()
        event, semaphore, barrier = threading.Event(), threading.Semaphore(2), threading.Barrier(1)
        held = threading.Lock(); held.acquire()
        event.set()
        class Safe:
            def __init__(self): self.lock, self.items = threading.Lock(), []
        safe = Safe(); same_lock = safe.lock
        """,
        """
        lock.acquire() and lock.release() is None and rlock.acquire() and rlock.release() is None
        held.acquire(blocking=False) and condition.__enter__() and condition.notify() is None
        event.is_set() and semaphore.acquire() and semaphore.acquire(blocking=False)
        not semaphore.acquire(blocking=False)
        barrier.wait() == 0 and safe.lock is same_lock
        """,
        "nobody holds it; an event stays set",
    ),
    anew(
        "`queue.Queue`, `PriorityQueue`, `asyncio.Queue`, `asyncio.Lock`, `asyncio.Event`",
        """
        import asyncio, queue
        jobs, ranked = queue.Queue(), queue.PriorityQueue(); jobs.put("x"); ranked.put(2); ranked.put(1)
        async_jobs, async_lock = asyncio.Queue(), asyncio.Lock(); async_jobs.put_nowait(5)
        """,
        """
        jobs.get(timeout=1) == "x" and ranked.get(timeout=1) == 1 and jobs.put("y") is None
        async_jobs.get_nowait() == 5 and not async_lock.locked()
        """,
        "with what is in them; nobody waits any more",
    ),
    anew(
        "`threading.local`",
        """
        thread_local = threading.local(); thread_local.x = shared
        class PerThread(threading.local): y = 1
        per_thread = PerThread(); per_thread.x = 2
        """,
        """
        thread_local.x is shared and per_thread.x == 2 and per_thread.y == 1
        """,
        "with what the cells have put in",
    ),
]

JUPYTER = [
    kept(
        "`get_ipython()`, standard streams, display handles, rich objects",
        """
        from IPython.display import display, HTML, Markdown
        ip, standard_out, standard_error = get_ipython(), sys.stdout, sys.stderr
        handle = display("shown", display_id=True); html = HTML("<b>x</b>")
        """,
        """
        ip is get_ipython() and standard_out is sys.stdout and standard_error is sys.stderr
        handle.display_id and handle.update("again") is None and html.data == "<b>x</b>"
        """,
    ),
    kept(
        "`tqdm` bars",
        """
        import io, tqdm
        bar = tqdm.tqdm(total=3, file=io.StringIO()); bar.update(1)
        """,
        "bar.n == 1 and bar.update(1) is None or bar.n == 2",
    ),
    lost(
        "widgets, comms",
        """
        import comm, ipywidgets
        slider = ipywidgets.IntSlider(); box_of_widgets = ipywidgets.VBox([slider])
        channel = comm.create_comm(target_name="none")
        """,
        "slider box_of_widgets channel",
    ),
]

THEMES = {
    "The standard library": LIBRARY,
    "Locks and queues": LOCKS,
    "Jupyter": JUPYTER,
}
