"""Inline templates that carry words of a sentence -> those words. All others are left out, and counted.

The names are those of the English Wikipedia, from the documentation pages of its templates; other wikis share many.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bert.documents.arguments import Arguments, Expansion
from bert.documents.marks import LEVEL, LOWERED, RAISED, hole
from bert.documents.quantities import (
    chemistry,
    convert,
    coordinates,
    fraction,
    grouped,
    height,
    ordinal,
    power_of_ten,
    track_gauge,
    val,
)
from bert.documents.wordless import is_wordless

_MONTHS = "January February March April May June July August September October November December".split()
# {{lang-de|...}} and {{script/Hebrew|...}}.
_OF_A_LANGUAGE = re.compile(r"lang-.+|script/.+")


def _text(position: int) -> Expansion:
    return lambda a: a.get(position) or a.named.get("text", "")


def _fixed(text: str) -> Expansion:
    return lambda a: text


def _before(prefix: str) -> Expansion:
    """The first argument behind a prefix: `£5`."""
    return lambda a: prefix + grouped(a.get(1)) if a.get(1) else ""


def _joined(separator: str) -> Expansion:
    return lambda a: separator.join(a.positional)


def _last(a: Arguments) -> str:
    return a.positional[-1] if a.positional else ""


def _date(a: Arguments, first: int = 1) -> str:
    """Year, month and day at `first` and behind it, as far as they are there."""
    year, month, day = (a.get(first + n) for n in range(3))
    name = _MONTHS[int(month) - 1] if month.isdigit() and 1 <= int(month) <= 12 else month
    if not name:
        return year
    if not day:
        return f"{name} {year}".strip()
    day = day.lstrip("0")
    return f"{day} {name} {year}" if a.says("df") else f"{name} {day}, {year}"


def _as_of(a: Arguments) -> str:
    if "alt" in a.named:
        return a.named["alt"]
    day, month_first = a.get(3), a.named.get("df", "").upper() == "US"
    date = _date(Arguments(a.positional, {} if month_first else {"df": "y"})) if day else _date(a)
    since = a.says("since")
    word = "since" if since else "as of"
    return f"{word if a.says('lc') else word.capitalize()} {date}".strip()


def _spanned(prefix: str) -> Expansion:
    """`c. 1900`, or of two years `r. 1900–1910`."""
    return lambda a: f"{prefix} {'–'.join(a.positional[:2])}".strip()


def _ship(a: Arguments) -> str:
    """USS Enterprise (CV-6); format 2 leaves the hull number out: https://en.wikipedia.org/wiki/Template:Ship"""
    number = a.get(3) if a.get(4) in ("", "1", "3") else ""
    return f"{a.get(1)} {a.get(2)}{f' ({number})' if number else ''}".strip()


def _circa(a: Arguments) -> str:
    """c. 1900, or of two years c. 1900 – c. 1950"""
    return " – ".join(f"c. {year}" for year in a.positional[:2]) or "c."


def _labelled(label: str) -> Expansion:
    return lambda a: f"{label} {a.get(1)}".strip()


def _vessel(prefix: str) -> Expansion:
    return lambda a: _ship(Arguments([prefix, *a.positional], a.named))


def _interlanguage(a: Arguments) -> str:
    return a.named.get("lt") or a.named.get("en") or a.get(1)


def _sic(a: Arguments) -> str:
    return "".join(a.positional) if a.positional else "[sic]"


def _quotation(a: Arguments) -> str:
    text = a.named.get("text") or a.named.get("quote") or a.get(1)
    return f"\n\n{text}\n\n"


def _around(before: str, after: str) -> Expansion:
    return lambda a: f"{before}{a.get(1)}{after}" if a.get(1) else ""


def _list(a: Arguments) -> str:
    """A list by itself, which is dropped and counted as those of `*` are."""
    return "".join(f"\n* {item}" for item in a.positional) + "\n"


def _authors(a: Arguments) -> tuple[str, str]:
    """The names and the year of an author-date reference."""
    *names, year = a.positional or [""]
    if len(names) > 3:
        return f"{names[0]} et al.", year
    return " & ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))), year


def _harvard(form: str) -> Expansion:
    def expansion(a: Arguments) -> str:
        names, year = _authors(a)
        page = a.named.get("p") or a.named.get("pp") or ""
        place = f", {'p.' if a.named.get('p') else 'pp.'} {page}" if page else ""
        return form.format(names=names, year=year, place=place).strip()

    return expansion


def _old_style(a: Arguments) -> str:
    """A date of the Gregorian calendar, and that of the Julian: 2 February [O.S. 20 January] 1905."""
    old = f" [O.S. {a.get(3)}]" if a.get(3) else ""
    return f"{a.get(1)}{old} {a.get(2)}".strip()


def _chinese(a: Arguments) -> str:
    return next((a.named[key] for key in ("c", "s", "t", "l", "p") if a.named.get(key)), a.get(1))


def _isotope(a: Arguments) -> str:
    """uranium-235"""
    return "-".join(a.positional[:2])


def _ship_class(a: Arguments) -> str:
    return f"{a.get(1)}-class {a.get(2)}".strip()


def _accidental(a: Arguments) -> str:
    if a.get(1) == "time":
        return "/".join(a.positional[1:3])
    return {"flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮"}.get(a.get(1), a.get(1))


def _sounds(a: Arguments) -> str:
    """IPA that a sentence speaks of; with a language before it, a pronunciation, which is no word."""
    return a.get(1) if len(a.positional) == 1 else ""


def _raised(a: Arguments) -> str:
    return f"{RAISED}{a.get(1)}{LEVEL}"


def _lowered(a: Arguments) -> str:
    return f"{LOWERED}{a.get(1)}{LEVEL}"


def _raised_over_lowered(a: Arguments) -> str:
    above, below = a.named.get("p", a.get(1)), a.named.get("b", a.get(2))
    return (f"{LOWERED}{below}{LEVEL}" if below else "") + (f"{RAISED}{above}{LEVEL}" if above else "")


def _each(names: str, expansion: Expansion) -> dict[str, Expansion]:
    return dict.fromkeys(names.split("|"), expansion)


TEMPLATES: dict[str, Expansion] = {
    **_each(
        "nowrap|nobr|no break|no wrap|nowr|allow wrap|wrap|nobold|noitalic|normal|small|smaller|big|larger|large"
        "|em|strong|bold|italic|underline|mono|monospace|code|kbd|samp|tt|smallcaps|small caps|smallcaps all"
        "|allcaps|caps|nocaps|sc|sc1|sc2|serif|sans-serif|roman|var|varserif|mvar|math|bigmath|overline|overbar"
        "|key|unicode|iast|pie|polytonic|strikethrough|strike|s|del|ins|highlight|center|centre|abbr|abbrlink"
        "|abbreviation|tooltip|dfn|as written|not a typo|proper name|visible anchor|vanchor|bartitle|nq|tq|tqq"
        "|formatted number|citation needed span|cn-span|clarify span|verify span|flag|flagcountry|flagu|flag+link"
        "|flagathlete|flagmedalist|korean|hebrew|he-n|nastaliq|urdu|chem name|chemname|chem2|ce|birth-date"
        "|death-date|start-date|end-date|ship class|yes|no|nom|won|bracket text|avoid wrap",
        _text(1),
    ),
    **_each(
        "lang|langx|langr|langnf|wikt-lang|wt|rtl-lang|native name|native phrase|color|colour|fgcolor|fontcolor"
        "|bgcolor|background color|hover title|h:title|tooltip2",
        _text(2),
    ),
    **_each(
        "transl|transliteration|translit|tlit|script|font color|font colour|resize|font|colored link"
        "|coloured link|sort|sortname2",
        _last,
    ),
    **_each("sortname|given name", lambda a: " ".join(a.positional[:2])),
    **_each("nihongo|nihongo3|nihongo krt|nihongo foot", lambda a: a.get(1) or a.get(2)),
    "nihongo2": _text(1),
    **_each("zh|zh-hans|zh-hant|lang-zh|zh-cn|zh-tw|chinese|cjkv", _chinese),
    "ipa": _sounds,
    **_each("ipaslink|ipa-slink|phoneme", _around("/", "/")),
    **_each("ipablink|ipa-blink|phone", _around("[", "]")),
    **_each("angbr|angle bracket|grapheme|angbr ipa|orthography", _around("⟨", "⟩")),
    **_each("bracket|square brackets|brackets", _around("[", "]")),
    **_each("gloss|single quotes|sq", _around("'", "'")),
    **_each("literally|lit|lit.", _around("lit. '", "'")),
    **_each("translation|trans|transl.", _around("transl. ", "")),
    **_each("double quotes|dq", _around('"', '"')),
    **_each("linktext|gaps", _joined("")),
    "chem": chemistry,
    **_each("key press|keypress", _joined("+")),
    **_each(
        "bibleverse|bibleref|bibleref2|bibleverse-lb|bible verse|kjv|nabre|niv",
        lambda a: " ".join(p for p in a.positional[:3] if p),
    ),
    **_each("cite quran|quran|qref|cite qur'an|quran-usc", lambda a: f"Quran {':'.join(a.positional[:2])}".strip()),
    **_each("ill|interlanguage link|link-interwiki|illm|interlanguage link multi", _interlanguage),
    **_each("sic|typo", _sic),
    **_each(
        "quote|quotation|cquote|blockquote|bquote|quote box|poemquote|poem quote|poem|block quote|block quotation"
        "|quote frame|centered quote|longquote|quote paragraphs|verse",
        _quotation,
    ),
    **_each(
        "ordered list|unordered list|unbulleted list|ubl|bulleted list|plainlist|plain list|flatlist|hlist"
        "|columns-list|ublist|collapsible list|flowlist|numbered list|defn|term",
        _list,
    ),
    **_each("convert|conv|converted", convert),
    "cvt": lambda a: convert(a, short=True),
    **_each("coord|coordinates|coor", coordinates),
    **_each("railgauge|track gauge|rail gauge", track_gauge),
    **_each("formatnum|num|nts|number|format price", lambda a: grouped(a.get(1))),
    "val": val,
    **_each("e|esp|x10^|10^|e-sp|times10|x10", power_of_ten),
    **_each("sup|super|superscript|smallsup|^|exp", _raised),
    **_each("sub|subscript|smallsub", _lowered),
    **_each("su|su2|subsup", _raised_over_lowered),
    **_each("sqrt|radic|root", _around("√", "")),
    **_each("abs|mabs", _around("|", "|")),
    **_each("nuclide|isotope|simplenuclide|simple nuclide|nuclide2|link isotope", _isotope),
    **_each("number sign|numero|no.|num.", _around("No. ", "")),
    **_each("us patent|uspatent|patent us|us patent number", lambda a: f"U.S. Patent {grouped(a.get(1))}".strip()),
    **_each("music|accidental", _accidental),
    **_each("circa|c.|ca|ca.|approx", _circa),
    **_each("born|b.|birth", _labelled("b.")),
    **_each("died|d.", _labelled("d.")),
    **_each("floruit|fl.|fl", _spanned("fl.")),
    **_each("reign|r.", _spanned("r.")),
    **_each(
        "birth date|birth date and age|birth-date and age|bda|dob|death date|death date and age|dda|start date"
        "|start date and age|end date|date|dts|birth year and age",
        _date,
    ),
    **_each("oldstyledate|oldstyledatedy|old style date|osdate", _old_style),
    **_each("as of|asof", _as_of),
    **_each("harvtxt|harvcoltxt|sfnt", _harvard("{names} ({year}{place})")),
    **_each("harv|harvcol|harvard citation", _harvard("({names} {year}{place})")),
    **_each("harvnb|harvcolnb|harvp|harvard citation no brackets", _harvard("{names} {year}{place}")),
    **_each("frac|fraction|sfrac|fract|tfrac|xfrac|half fraction|dfrac", fraction),
    **_each("ordinal|ord|ordinal to word|nth", ordinal),
    "height": height,
    **{
        name.lower(): _vessel(name)
        for name in "USS HMS SS RMS HMCS HMAS MS MV USAT USNS RFA INS SMS HMNZS HMHS HMT HMY PS TS TSS ST MT MY RV "
        "RRS USCGC USRC CSS HNLMS HNoMS HSwMS HDMS BAP ARA ARC ROKS JDS JS PNS BNS KRI KD ORP LÉ FNS SAS HTMS".split()
    },
    "ship": _ship,
    **_each("sclass|sclass-|sclass2|sclass2-|sclass3|sclass-class", _ship_class),
    **_each("us$|usd", _before("US$")),
    **_each("a$|aud", _before("A$")),
    **_each("ca$|cad", _before("CA$")),
    **_each("£|gbp|pound sterling", _before("£")),
    **_each("€|eur|euro", _before("€")),
    **_each("¥|jpy|yen", _before("¥")),
    **_each("inr|indian rupee|₹|indian rupees|rupee", _before("₹")),
    **_each("nz$|nzd", _before("NZ$")),
    **{code.lower(): _before(f"{code} ") for code in "CHF SEK NOK DKK PLN CZK HUF TRY ZAR".split()},
    **_each("currency|money", lambda a: f"{a.get(2)} {grouped(a.get(1))}".strip()),
    "url": lambda a: a.get(2) or a.get(1),
    **_each("hk$|hkd", _before("HK$")),
    **_each("s$|sgd", _before("S$")),
    **_each("r$|brl", _before("R$")),
    **_each("cny|rmb|cn¥", _before("CN¥")),
    **_each("krw|south korean won|₩", _before("₩")),
    **_each("php|philippine peso|₱", _before("₱")),
    **_each("ils|₪", _before("₪")),
    **_each("rub|russian ruble|₽", _before("₽")),
    **_each("ngn|₦", _before("₦")),
    **_each("ndash|en dash|–|endash|nbndash|ndashb|nsndns", _fixed("–")),
    **_each("mdash|em dash|—|emdash|mdashb|nbmdash|nsmdns|double dash|--", _fixed("—")),
    **_each("snd|spnd|sndash|spaced ndash|spaced en dash|snds|spaced endash|spndash|ndash spaced", _fixed(" – ")),
    **_each("smd|smdash|spaced mdash|spaced em dash|spmdash", _fixed(" — ")),
    **_each("nbsp|nbs|space|spaces|sp|thinsp|thin space|hair space|hairsp|zwsp|pad|indent|in5|0|gap|spc", _fixed(" ")),
    **_each("hyphen|hyph|nbhyph|nbh|nbhyphen|shyphen", _fixed("-")),
    **_each("ellipsis|...|nbellipsis", _fixed("...")),
    **_each("minus|−", lambda a: f"−{a.get(1)}"),
    **_each("%|percent", _fixed("%")),
    "frasl": _fixed("⁄"),
    **{name: _fixed(f"{RAISED}{name[0]}{LEVEL}/{LOWERED}{name[2]}{LEVEL}") for name in "1/2 1/3 2/3 1/4 3/4".split()},
    "half": _fixed(f"{RAISED}1{LEVEL}/{LOWERED}2{LEVEL}"),
    **_each("h2o|water (molecule)", _fixed("H2O")),
    "co2": _fixed("CO2"),
    **{name.lower(): _fixed(name) for name in "BCE CE BC AD".split()},
    **_each("times|×", _fixed("×")),
    **_each("plusmn|±|pm|plus-minus|+-", lambda a: f"±{a.get(1)}"),
    **_each("degree|deg|degrees|°", lambda a: f"{a.get(1)}°"),
    **_each("prime|′", lambda a: f"{a.get(1)}′"),
    **_each("pprime|″", lambda a: f"{a.get(1)}″"),
    **_each("zwnj", _fixed("\u200c")),
    **_each("zwj", _fixed("\u200d")),
    **_each("eqm|equilibrium", _fixed("⇌")),
    **_each("rarr|→|arrow", _fixed("→")),
    **_each("larr|←", _fixed("←")),
    **_each("(|lparen", _fixed("(")),
    **_each(")|rparen", _fixed(")")),
    **_each("!!", _fixed("||")),
    **_each("!(", _fixed("[")),
    **_each(")!", _fixed("]")),
    **_each("pipe|bar", _fixed("|")),
    **_each("asterisk|*", _fixed("*")),
    **_each("hydrogen", _fixed("H")),
    **_each("carbon", _fixed("C")),
    **_each("nitrogen", _fixed("N")),
    **_each("oxygen", _fixed("O")),
    **_each("·|•|dot|middot|bull|bullet|dot separator|•w|·w", _fixed(" · ")),
    **_each("'|`|apostrophe", _fixed("'")),
    **_each("'s|`s|apos", _fixed("'s")),
    **_each('"|\' "|" \'|\'"|"\'|-"', _fixed('"')),
    "!": _fixed("|"),
    "=": _fixed("="),
    **_each("pi", _fixed("π")),
    **_each("okina|ʻokina|hamza", _fixed("ʻ")),
    **_each("sharp|music sharp", _fixed("♯")),
    **_each("flat|music flat", _fixed("♭")),
}
"""Lower-case name, spaces for underscores -> what a reader sees of it."""


_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "formatnum": grouped,
    "lc": str.lower,
    "uc": str.upper,
    "lcfirst": lambda text: text[:1].lower() + text[1:],
    "ucfirst": lambda text: text[:1].upper() + text[1:],
}
"""Parser functions of one argument: https://www.mediawiki.org/wiki/Help:Magic_words"""


def expand(parts: list[str]) -> str:
    """What stands for `{{parts[0]|parts[1]|...}}` in a sentence; a mark for a template that is not known.

    >>> expand(["convert", "1500", "km", "mi"])
    '1,500 kilometres'
    >>> expand(["formatnum:1234"])
    '1,234'
    """
    name = " ".join(parts[0].replace("_", " ").split()).lower().removeprefix("template:").strip()
    function, colon, _ = name.partition(":")
    arguments = Arguments.of(parts[1:])
    if colon and (function in _FUNCTIONS or function.startswith("#")):
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](parts[0].partition(":")[2].strip())
        name = function
    if (expansion := TEMPLATES.get(name)) is not None:
        return expansion(arguments)
    if _OF_A_LANGUAGE.fullmatch(name):
        return arguments.get(1)
    return "" if not name or is_wordless(name) else hole(name, arguments.positional)
