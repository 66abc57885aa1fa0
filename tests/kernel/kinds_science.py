"""Kinds of objects: numpy, pandas, scikit-learn, matplotlib."""

from __future__ import annotations

from .kinds import kept

NUMPY = [
    kept(
        "arrays: structured, of objects, masked, dates, strings, scalars, empty",
        """
        import numpy as np
        plain = np.arange(6.0).reshape(2, 3); fortran = np.asfortranarray(plain)
        structured = np.array([(1, "a")], dtype=[("n", "i4"), ("s", "U3")]); record = structured[0]
        of_objects = np.array([shared, None, rex], dtype=object)
        masked = np.ma.masked_array([1, 2], mask=[False, True])
        dates = np.array(["2024-01-01"], "datetime64[D]"); spans = dates - dates
        scalars = (np.float64(1.5), np.datetime64("NaT"), np.bool_(True), np.str_("x"))
        empty, zero_d, frozen_array = np.empty((0, 3)), np.array(5), np.arange(3); frozen_array.flags.writeable = False
        big_endian, matrix = np.arange(3, dtype=">i4"), np.matrix("1 2")
        dtype, ufunc = np.dtype("M8[us]"), np.add
        """,
        """
        plain.tolist() == [[0, 1, 2], [3, 4, 5]] and plain.flags.writeable and fortran.flags.f_contiguous
        structured["s"][0] == "a" and record["n"] == 1 and of_objects[0] is shared and of_objects[2] is rex
        masked.sum() == 1 and dates[0] == np.datetime64("2024-01-01") and spans.dtype == "m8[D]"
        scalars[0] == 1.5 and np.isnat(scalars[1]) and type(scalars[2]) is np.bool_ and scalars[3] == "x"
        empty.shape == (0, 3) and zero_d == 5 and zero_d.shape == () and not frozen_array.flags.writeable
        big_endian.dtype == ">i4" and big_endian[2] == 2 and type(matrix) is np.matrix and ufunc is np.add
        dtype == np.dtype("M8[us]") and np.ma.masked is masked[1]
        """,
    ),
    kept(
        "views that share memory",
        """
        base = np.zeros(100_000); window = base[10:20]; transposed = base.reshape(1000, 100).T
        small_base = np.zeros(10); small_view = small_base[::2]; backward = small_base[::-1]
        of_bytearray = bytearray(16); over_bytes = np.frombuffer(of_bytearray, "u1")
        """,
        """
        base.__setitem__(10, 5) is None and window[0] == 5 == transposed[10, 0]
        small_base.__setitem__(4, 7) is None and small_view[2] == 7 == backward[5]
        """,
    ),
    kept(
        "random generators",
        """
        np.random.seed(3); rng = np.random.default_rng(4); rng.random()
        old_rng = np.random.RandomState(5); old_rng.rand()
        next_rng = np.random.default_rng(4); next_rng.random(); next_rng = next_rng.random()
        next_old = np.random.RandomState(5); next_old.rand(); next_old = next_old.rand()
        """,
        "rng.random() == next_rng and old_rng.rand() == next_old",
    ),
    kept(
        "`np.memmap`",
        """
        import tempfile
        memory_file = str(pathlib.Path(tempfile.mkdtemp()) / "mm")
        np.arange(4.0).tofile(memory_file); memory_mapped = np.memmap(memory_file, "f8", "r+")
        """,
        "memory_mapped.sum() == 6",
        "the numbers, in memory: no longer tied to the file",
    ),
    kept(
        "`np.vectorize`, polynomials, functions over arrays",
        """
        vectorized = np.vectorize(lambda x: x + 1)
        polynomial, poly = np.poly1d([1, 2]), np.polynomial.Polynomial([1, 2])
        """,
        "vectorized([1, 2]).tolist() == [2, 3] and polynomial(2) == 4 and poly(2) == 5",
    ),
]

PANDAS = [
    kept(
        "`DataFrame`, `Series`, `Index`, `MultiIndex`, categoricals, dates, intervals, missing values",
        """
        import pandas
        frame_of_data = pandas.DataFrame({
            "n": [1, 2, 3], "x": [1.5, None, 3], "s": ["a", None, "c"], "o": [shared, None, {}],
            "c": pandas.Categorical(["u", "v", "u"], ordered=True), "i": pandas.array([1, None, 3], "Int64"),
            "d": pandas.date_range("2024-01-01", periods=3, tz="Europe/Berlin"), "b": [True, False, True],
        }, index=pandas.Index(["p", "q", "r"], name="key"))
        frame_of_data.attrs["source"] = "mine"
        series = frame_of_data["n"]; same_frame = frame_of_data
        multi = pandas.DataFrame({"v": [1, 2]}, index=pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
        stamp, missing, period = pandas.Timestamp("2024-01-01", tz="UTC"), pandas.NA, pandas.Period("2024-01")
        intervals, sparse = pandas.interval_range(0, 3), pandas.arrays.SparseArray([0, 0, 1])
        expected_types = frame_of_data.dtypes.astype(str).to_dict()
        """,
        """
        same_frame is frame_of_data and frame_of_data.dtypes.astype(str).to_dict() == expected_types
        frame_of_data["o"].iloc[0] is shared and frame_of_data.index.name == "key"
        frame_of_data.attrs["source"] == "mine"
        str(frame_of_data["d"].dtype).endswith("Europe/Berlin]") and frame_of_data["c"].cat.ordered
        frame_of_data["i"].isna().tolist() == [False, True, False] and frame_of_data["s"].isna().sum() == 1
        frame_of_data.assign(y=1).groupby("b").n.sum().tolist() == [2, 4] and series.loc["r"] == 3
        frame_of_data.__setitem__("new", 5) is None and frame_of_data["new"].sum() == 15
        multi.loc[("b", 2), "v"] == 2 and stamp.tzinfo is not None and missing is pandas.NA and period.month == 1
        len(intervals) == 3 and sparse.sum() == 1
        """,
    ),
    kept(
        "groupbys, rolling windows, accessors, stylers",
        """
        by_category = frame_of_data.groupby("c", observed=True); rolling = series.rolling(2)
        styler = frame_of_data[["n"]].style.format("{:.1f}"); strings = frame_of_data["s"].str
        """,
        """
        by_category.n.sum().to_dict() == {"u": 4, "v": 2} and rolling.sum().iloc[2] == 5
        "1.0" in styler.to_html() and strings.upper().iloc[0] == "A"
        """,
    ),
]

MODELS = [
    kept(
        "models and pipelines of scikit-learn, fitted",
        """
        import sklearn.ensemble, sklearn.linear_model, sklearn.pipeline, sklearn.preprocessing
        features, labels = np.arange(40.0).reshape(20, 2) % 7, np.arange(20) % 2
        forest = sklearn.ensemble.RandomForestClassifier(5, random_state=0).fit(features, labels)
        pipeline = sklearn.pipeline.make_pipeline(
            sklearn.preprocessing.StandardScaler(), sklearn.preprocessing.FunctionTransformer(lambda x: x * 2),
            sklearn.linear_model.LogisticRegression(),
        ).fit(features, labels)
        expected = forest.predict_proba(features).tolist(), pipeline.predict_proba(features).tolist()
        """,
        """
        forest.predict_proba(features).tolist() == expected[0]
        pipeline.predict_proba(features).tolist() == expected[1] and pipeline.fit(features, labels)
        """,
    ),
    kept(
        "figures and axes of matplotlib, shown or closed",
        """
        import matplotlib.pyplot as plt
        figure, axes = plt.subplots(1, 2); line, = axes[0].plot([1, 2], label="l"); axes[1].imshow(plain)
        figure.suptitle("t")
        closed_figure = plt.figure(); closed_axes = closed_figure.gca(); closed_axes.plot([1]); plt.close(closed_figure)
        plt.close(figure)
        def drawn(figure):
            with io.BytesIO() as image: figure.savefig(image); return len(image.getvalue())
        """,
        """
        drawn(figure) > 1000 and drawn(closed_figure) > 1000
        figure.axes[0] is axes[0] and axes[0].lines[0] is line and line.get_label() == "l"
        axes[0].plot([3, 4]) and closed_figure.axes[0] is closed_axes
        """,
    ),
]

THEMES = {"numpy": NUMPY, "pandas": PANDAS, "scikit-learn, matplotlib": MODELS}
