"""Markup of a notebook made harmless: nothing in it runs, loads, asks for something or looks like the page's own."""

from __future__ import annotations

import re

import nh3

MOST_TAGS = 40_000
MOST_WORK = 5_000_000
"""The sanitiser copies each open tag of formatting into each later block: their product bounds what it has to do."""

MOST_ENTITIES = 200_000
"""The sanitiser takes the square of the number of their ``&`` to read them."""

_TEXT = "a abbr b br cite code del dfn em i ins kbd mark q s samp small span strong sub sup time u var wbr"
_BLOCKS = "article aside blockquote center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li"
_TABLES = "caption col colgroup table tbody td tfoot th thead tr"
TAGS = {*_TEXT.split(), *_BLOCKS.split(), *_TABLES.split(), "img", "ol", "p", "pre", "section", "summary", "ul"}
NUMBERS = {"colspan", "height", "rowspan", "start", "width"}
ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "details": {"open"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "tr": {"align"},
}
_ASKING = {"button", "option", "textarea"}
DROPPED = {"iframe", "noscript", "object", "script", "style", "svg", "template", "title"} | _ASKING
"""Left out with what is in them."""

_ANSI = {f"ansi-{name}" for name in ("bold", "underline", "default-inverse-fg", "default-inverse-bg")} | {
    f"ansi-{colour}{intense}-{ground}"
    for colour in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    for intense in ("", "-intense")
    for ground in ("fg", "bg")
}
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*", re.I)
_ELSEWHERE = re.compile(r"(?:https?://|mailto:)", re.I)
_FORMATTING = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.I)
_LIVELY = re.compile(r"<(?:audio|button|canvas|embed|form|iframe|input|object|script|select|svg|video)[\s/>]", re.I)
_HEADING = re.compile(r"<(/?)h([1-6])\b")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TooIntricate(ValueError):
    """Markup that would take too long to be made harmless."""


def sanitised(html: str) -> str:
    """Markup for a page whose own headings are of the first two levels; raises ``TooIntricate``."""
    if (tags := html.count("<")) > MOST_TAGS or tags * len(_FORMATTING.findall(html)) > MOST_WORK:
        raise TooIntricate(f"{tags:,} tags")
    if (entities := html.count("&")) > MOST_ENTITIES:
        raise TooIntricate(f"{entities:,} entities")
    clean = _page.clean(unicode(html)).replace("<th></th>", "<td></td>")  # pandas' corner heads nothing
    top = min((int(level) for _, level in _HEADING.findall(clean)), default=1)
    return _HEADING.sub(lambda found: f"<{found[1]}h{min(6, int(found[2]) - top + 3)}", clean)


def coloured(html: str) -> str:
    """Text with colours as nbconvert marks them up, and nothing else."""
    return _CONTROL.sub("", _text.clean(html))


def unicode(text: str) -> str:
    """Text that can be sent: Python allows half of a surrogate pair, UTF-8 does not."""
    return text.encode(errors="replace").decode()


def is_lively(html: str) -> bool:
    """Whether there is something in it that a harmless page cannot have."""
    return _LIVELY.search(html) is not None


def is_blank(html: str) -> bool:
    """Whether sanitised markup shows nothing."""
    return "<img" not in html and not re.sub(r"<[^>]*>", "", html).strip()


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if _PICTURE.fullmatch(value) else None
    if name == "href":
        return value if _ELSEWHERE.match(value) else None
    if name in NUMBERS:
        return value if value.isascii() and value.isdecimal() and len(value) < 5 else None
    return value


_page = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    clean_content_tags=DROPPED,
    attribute_filter=_attribute,
    url_schemes={"data", "http", "https", "mailto"},
    allowed_classes={"table": {"dataframe"}},
)
_text = nh3.Cleaner(tags={"span"}, attributes={}, allowed_classes={"span": _ANSI})
