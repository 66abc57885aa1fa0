"""Kinds of objects: what lives in one process only."""

from __future__ import annotations

from .kinds import Kind, kept, lost

FILES = [
    lost(
        "open files",
        """
        import bz2, gzip, lzma, os, pathlib, tempfile, zipfile
        folder = tempfile.TemporaryDirectory(); path = pathlib.Path(folder.name)
        text_file = open(path / "t", "w+"); binary_file = open(path / "b", "wb"); raw_file = open(path / "r", "wb", 0)
        read_file = open(path / "t"); read_binary = open(path / "b", "rb"); both_file = open(path / "b", "r+b")
        gzip_file, bz2_file = gzip.open(path / "g", "wb"), bz2.open(path / "2", "wt")
        lzma_file = lzma.open(path / "l", "w")
        zip_file = zipfile.ZipFile(path / "z", "w"); zip_file.writestr("a", "b")
        temporary, temporary_named = tempfile.TemporaryFile(), tempfile.NamedTemporaryFile()
        spooled = tempfile.SpooledTemporaryFile()
        closed_file = open(path / "t"); closed_file.close()
        csv_writer = __import__("csv").writer(text_file); csv_reader = __import__("csv").reader(read_file)
        report = {"n": 1, "out": text_file}
        scanned = os.scandir(path)
        """,
        """
        text_file binary_file raw_file read_file read_binary both_file gzip_file bz2_file lzma_file zip_file temporary
        temporary_named spooled closed_file csv_writer csv_reader report['out'] scanned folder
        """,
        "report['n'] == 1",
        "`gzip`, `zipfile`, `tempfile` and the like too, and closed ones",
        partly="report",
    ),
    lost(
        "sockets, TLS contexts, selectors, ZeroMQ",
        """
        import select, selectors, socket, ssl, zmq
        sock = socket.socket(); send = sock.send; sock_file = sock.makefile("rwb")
        socket_pair = socket.socketpair(); tls_context = ssl.create_default_context()
        selector = selectors.DefaultSelector(); epoll = select.epoll() if hasattr(select, "epoll") else selector
        zmq_context = zmq.Context(); zmq_socket = zmq_context.socket(zmq.PUB)
        """,
        "sock send sock_file socket_pair[0] tls_context selector epoll zmq_context zmq_socket",
        partly="socket_pair",
    ),
    lost(
        "HTTP clients, connections and servers",
        """
        import http.client, http.server, httpx
        http_client, async_client = httpx.Client(), httpx.AsyncClient()
        connection_to = http.client.HTTPConnection("localhost")
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        """,
        "http_client async_client server",
        "connection_to.host == 'localhost'",
        "of `httpx`; an `HTTPConnection` that is not connected is kept",
    ),
    kept(
        "`requests.Session`",
        """
        import requests
        session = requests.Session(); session.headers["X-Mine"] = "1"; session.cookies.set("c", "2")
        """,
        "session.headers['X-Mine'] == '1' and session.cookies['c'] == '2' and session.get_adapter('https://x').poolmanager",
        "without its open connections",
    ),
    lost(
        "database connections and cursors",
        """
        connection = sqlite3.connect(":memory:"); same_connection = connection
        cursor = connection.execute("select 1 union select 2")
        class Repository:
            def __init__(self, connection): self.connection, self.rows = connection, [1]
        repository = Repository(connection)
        own_repository = Repository(sqlite3.connect(":memory:"))
        """,
        "connection same_connection cursor repository.connection own_repository.connection",
        "connection is same_connection is repository.connection and repository.rows == [1] == own_repository.rows",
        "the object around one is kept",
        partly="repository own_repository",
    ),
]

RUNNING = [
    lost(
        "threads, executors, futures, timers",
        """
        import concurrent.futures, multiprocessing.pool
        thread = threading.Thread(target=print); timer = threading.Timer(9, print)
        executor = concurrent.futures.ThreadPoolExecutor(1); future = executor.submit(int)
        future.result()
        process_executor = concurrent.futures.ProcessPoolExecutor(1)
        thread_pool = multiprocessing.pool.ThreadPool(1)
        this_thread = threading.current_thread()
        """,
        "thread timer executor future process_executor thread_pool this_thread",
        remark="take a future's result before the pause",
    ),
    lost(
        "subprocesses, `multiprocessing`: processes, pools, locks, queues, pipes, shared memory",
        """
        import multiprocessing, multiprocessing.shared_memory, subprocess
        popen = subprocess.Popen(["true"]); popen.wait()
        process = multiprocessing.Process(target=print)
        process_pool = multiprocessing.Pool(1)
        process_lock, process_queue = multiprocessing.Lock(), multiprocessing.Queue()
        pipe, _other_end = multiprocessing.Pipe(); process_value = multiprocessing.Value("i", 1)
        process_event = multiprocessing.Event()
        process_pool.terminate()
        shared_memory = multiprocessing.shared_memory.SharedMemory(create=True, size=10); shared_memory.unlink()
        completed = subprocess.run(["true"])
        """,
        """
        popen process process_pool process_lock process_queue pipe _other_end process_value process_event shared_memory
        """,
        "completed.returncode == 0",
        "what `subprocess.run` returned is kept",
    ),
    lost(
        "generators, coroutines, asyncio loops, tasks, futures and streams",
        """
        generator = (x for x in [1, 2]); next(generator)
        numbered_generator = enumerate(generator); over_generator = itertools.islice(generator, 3)
        coroutine = awaited()
        async def async_generating(): yield 1
        async_generator = async_generating()
        loop = asyncio.get_event_loop(); task = loop.create_task(asyncio.sleep(0)); loop_future = loop.create_future()
        runner = asyncio.Runner()
        opened = managed()
        holding = [1, generator]
        """,
        """
        generator numbered_generator over_generator coroutine async_generator loop task loop_future holding[1]
        """,
        "holding[0] == 1",
        partly="holding opened",
    ),
    lost(
        "frames, tracebacks, `mmap`, ctypes pointers",
        """
        import ctypes, mmap
        frame = sys._getframe()
        try: 1 / 0
        except ZeroDivisionError as error: traceback = error.__traceback__
        mapping = mmap.mmap(-1, 10)
        pointer = ctypes.pointer(ctypes.c_int(5)); library = ctypes.CDLL(None)
        c_function = library.abs
        """,
        "frame traceback mapping pointer library c_function",
    ),
    lost(
        "`ContextVar` and its contexts",
        """
        import contextvars
        variable = contextvars.ContextVar("variable", default=1); token = variable.set(2)
        context = contextvars.copy_context()
        """,
        "variable token context",
    ),
    lost(
        "whatever refuses to be pickled, such as a handle of a GPU",
        """
        class Device:
            def __reduce__(self): raise ValueError("a device cannot move")
        device = Device()
        class Model:
            def __init__(self): self.weights, self.device = [1.5], device
        model = Model()
        class Careless:
            def __reduce__(self): return (1, 2)
        careless = Careless()
        class Fallible:
            def __getstate__(self): raise RuntimeError("not now")
        fallible = [Fallible()]
        """,
        "device model.device careless fallible[0]",
        "model.weights == [1.5] and model.device is device",
        partly="model fallible",
    ),
]

THEMES: dict[str, list[Kind]] = {"Files, sockets, connections": FILES, "What is running": RUNNING}
