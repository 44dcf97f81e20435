"""Inline templates that carry words of a sentence -> those words. All others are left out.

The names are those of the English Wikipedia, from the documentation pages of its templates; other wikis share many.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_NAME = re.compile(r"[\w \-]+")
_WHOLE = re.compile(r"\d{4,}")
_NUMBER = re.compile(r"([+\-−]?)(\d+)(\.\d+)?")
_MONTHS = "January February March April May June July August September October November December".split()
_YES = frozenset(("y", "yes", "on", "true", "1"))


@dataclass(frozen=True)
class Arguments:
    """What stands between a template's bars, stripped: by position, and by name."""

    positional: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: list[str]) -> Arguments:
        found = cls()
        for part in parts:
            name, equals, value = part.partition("=")
            name = name.strip()
            if equals and name.isdigit() and int(name) == len(found.positional) + 1:
                found.positional.append(value.strip())
            elif equals and _NAME.fullmatch(name):
                found.named[name.lower()] = value.strip()
            else:
                found.positional.append(part.strip())
        return found

    def get(self, position: int) -> str:
        """The argument at a position counted from 1; empty where it is missing."""
        return self.positional[position - 1] if position <= len(self.positional) else ""

    def says(self, name: str) -> bool:
        return self.named.get(name, "").lower() in _YES


Expansion = Callable[[Arguments], str]


def _text(position: int) -> Expansion:
    return lambda a: a.get(position)


def _fixed(text: str) -> Expansion:
    return lambda a: text


def _before(prefix: str) -> Expansion:
    """The first argument behind a prefix: `£5`."""
    return lambda a: prefix + grouped(a.get(1)) if a.get(1) else ""


def _joined(separator: str) -> Expansion:
    return lambda a: separator.join(a.positional)


def _last(a: Arguments) -> str:
    return a.positional[-1] if a.positional else ""


def grouped(number: str) -> str:
    """Thousands apart: "1234567.5" -> "1,234,567.5"; what is no number stays as it is."""
    match = _NUMBER.fullmatch(number.strip())
    return f"{match[1]}{int(match[2]):,}{match[3] or ''}" if match and _WHOLE.fullmatch(match[2]) else number.strip()


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


def _fraction(a: Arguments) -> str:
    parts = a.positional[:3]
    if len(parts) == 3:
        return f"{parts[0]} {parts[1]}/{parts[2]}"
    return f" {parts[0]}/{parts[1]}" if len(parts) == 2 else f" 1/{parts[0]}" if parts else ""  # 7{{frac|1|2}}


def _ordinal(a: Arguments) -> str:
    number = a.get(1)
    if not number.isdigit():
        return number
    ending = "th" if number[-2:] in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ending


def _val(a: Arguments) -> str:
    unit = a.named.get("u") or a.named.get("ul") or ""
    error = f"±{a.get(2)}" if a.get(2) else ""
    power = f" × 10^{a.named['e']}" if a.named.get("e") else ""
    return f"{a.named.get('p', '')}{grouped(a.get(1))}{error}{power} {unit}".strip()


def _height(a: Arguments) -> str:
    return " ".join(f"{a.named[u]} {u}" for u in ("m", "cm", "ft", "in") if a.named.get(u))


def _ship(a: Arguments) -> str:
    return f"{a.get(1)} {a.get(2)}".strip()


def _vessel(prefix: str) -> Expansion:
    return lambda a: f"{prefix} {a.get(1)}".strip()


def _interlanguage(a: Arguments) -> str:
    return a.named.get("lt") or a.get(1)


def _sic(a: Arguments) -> str:
    return "".join(a.positional) if a.positional else "[sic]"


def _quotation(a: Arguments) -> str:
    text = a.named.get("text") or a.named.get("quote") or a.get(1)
    return f"\n\n{text}\n\n"


# code: symbol, one, many
_UNITS = {
    code: (symbol, one, many)
    for code, symbol, one, many in (
        line.split("|")
        for line in """\
mm|mm|millimetre|millimetres
cm|cm|centimetre|centimetres
m|m|metre|metres
km|km|kilometre|kilometres
in|in|inch|inches
ft|ft|foot|feet
foot|ft|foot|feet
yd|yd|yard|yards
mi|mi|mile|miles
mile|mi|mile|miles
nmi|nmi|nautical mile|nautical miles
ly|ly|light-year|light-years
m2|m²|square metre|square metres
km2|km²|square kilometre|square kilometres
ha|ha|hectare|hectares
acre|acres|acre|acres
acres|acres|acre|acres
sqft|sq ft|square foot|square feet
sqmi|sq mi|square mile|square miles
m3|m³|cubic metre|cubic metres
km3|km³|cubic kilometre|cubic kilometres
cuft|cu ft|cubic foot|cubic feet
L|L|litre|litres
koilbbl/d|kbbl/d|thousand barrels per day|thousand barrels per day
Moilbbl/d|Mbbl/d|million barrels per day|million barrels per day
oilbbl|bbl|barrel|barrels
l|l|litre|litres
ml|ml|millilitre|millilitres
USgal|US gal|US gallon|US gallons
impgal|imp gal|imperial gallon|imperial gallons
g|g|gram|grams
mg|mg|milligram|milligrams
kg|kg|kilogram|kilograms
t|t|tonne|tonnes
oz|oz|ounce|ounces
lb|lb|pound|pounds
lbs|lb|pound|pounds
st|st|stone|stone
ST|short tons|short ton|short tons
LT|long tons|long ton|long tons
km/h|km/h|kilometre per hour|kilometres per hour
mph|mph|mile per hour|miles per hour
m/s|m/s|metre per second|metres per second
kn|kn|knot|knots
knot|kn|knot|knots
C|°C|degree Celsius|degrees Celsius
F|°F|degree Fahrenheit|degrees Fahrenheit
K|K|kelvin|kelvins
W|W|watt|watts
kW|kW|kilowatt|kilowatts
MW|MW|megawatt|megawatts
hp|hp|horsepower|horsepower
psi|psi|pound per square inch|pounds per square inch
/km2|/km²|inhabitant per square kilometre|inhabitants per square kilometre
/sqmi|/sq mi|inhabitant per square mile|inhabitants per square mile
PD/km2|PD/km²|inhabitant per square kilometre|inhabitants per square kilometre
PD/sqmi|PD/sq mi|inhabitant per square mile|inhabitants per square mile""".splitlines()
    )
}
_RANGES = {
    **dict.fromkeys(("-", "–"), "–"),
    **dict.fromkeys(("x", "×", "xx", "by(x)"), " × "),
    **dict.fromkeys(("+/-", "±"), " ± "),
    **dict.fromkeys(("and", "and(-)", "&"), " and "),
    **dict.fromkeys(("to", "to(-)"), " to "),
    "or": " or ",
    "by": " by ",
}
_COMPOUNDS = frozenset((("ft", "in"), ("st", "lb"), ("lb", "oz"), ("mi", "yd"), ("mi", "ft"), ("yd", "ft")))


def _measure(number: str, unit: str, short: bool, adjective: bool) -> str:
    symbol, one, many = _UNITS.get(unit, (unit, unit, unit))
    if short:
        return f"{number} {symbol}"
    if adjective:
        return f"{number}-{one.replace(' ', '-')}"
    return f"{number} {one if number == '1' else many}"


def _convert(a: Arguments, short: bool = False) -> str:
    """The quantity as it was measured; not what it is in other units."""
    parts = a.positional
    if len(parts) < 2:
        return " ".join(parts)
    number, at = grouped(parts[0]), 1
    while at + 1 < len(parts) and parts[at] in _RANGES:
        number += _RANGES[parts[at]] + grouped(parts[at + 1])
        at += 2
    if at >= len(parts):
        return number
    short = short or a.named.get("abbr") in ("on", "in")
    adjective = a.says("adj") or a.named.get("adj") in ("mid", "pre")
    measured = _measure(number, parts[at], short, adjective)
    if at + 2 < len(parts) and (parts[at], parts[at + 2]) in _COMPOUNDS and parts[at + 1].isdigit():
        measured += f" {_measure(parts[at + 1], parts[at + 2], short, adjective)}"
    return measured


def _each(names: str, expansion: Expansion) -> dict[str, Expansion]:
    return dict.fromkeys(names.split("|"), expansion)


TEMPLATES: dict[str, Expansion] = {
    **_each(
        "nowrap|nobr|no break|nobold|noitalic|normal|small|smaller|big|larger|large|em|strong|bold|italic|underline"
        "|mono|smallcaps|sc|sc2|sub|sup|var|mvar|math|overline|keypress|unicode|script|strikethrough|highlight|center"
        "|centre|abbr|abbrlink|tooltip|not a typo|proper name|visible anchor|vanchor|bartitle|nq|tq|langr"
        "|formatted number|citation needed span|cn-span|clarify span|flag|flagcountry|flagu|nihongo|nihongo3|korean"
        "|birth-date|death-date|start-date",
        _text(1),
    ),
    **_each("lang|langx|wikt-lang|rtl-lang|color|colour|font color|resize", _text(2)),
    **_each("transl|transliteration", _last),
    **_each("linktext|chem|gaps", _joined("")),
    **_each("bibleverse|bibleref|bibleref2|bibleverse-lb", lambda a: " ".join(p for p in a.positional[:2] if p)),
    **_each("ill|interlanguage link|link-interwiki|illm|interlanguage link multi", _interlanguage),
    **_each("sic|typo", _sic),
    **_each("quote|quotation|cquote|blockquote|bquote|quote box", _quotation),
    **_each("convert|conv", _convert),
    "cvt": lambda a: _convert(a, short=True),
    **_each("formatnum|num|nts|number|format price", lambda a: grouped(a.get(1))),
    "val": _val,
    **_each("circa|c.|ca|ca.|approx", _spanned("c.")),
    **_each("floruit|fl.|fl", _spanned("fl.")),
    **_each("reign|r.", _spanned("r.")),
    **_each(
        "birth date|birth date and age|birth-date and age|bda|dob|death date|death date and age|dda|start date"
        "|start date and age|end date|date|dts|birth year and age",
        _date,
    ),
    **_each("as of|asof", _as_of),
    **_each("frac|fraction|sfrac", _fraction),
    **_each("ordinal|ord", _ordinal),
    "height": _height,
    **{name: _vessel(name.upper()) for name in "uss hms ss rms hmcs hmas ms mv usat usns rfa ins sms hmnzs".split()},
    "ship": _ship,
    **_each("us$|usd", _before("US$")),
    **_each("a$|aud", _before("A$")),
    **_each("ca$|cad", _before("CA$")),
    **_each("£|gbp|pound sterling", _before("£")),
    **_each("€|eur|euro", _before("€")),
    **_each("¥|jpy|yen", _before("¥")),
    **_each("inr|indian rupee|₹", _before("₹")),
    **_each("ndash|en dash|–|endash", _fixed("–")),
    **_each("mdash|em dash|—|emdash", _fixed("—")),
    **_each("snd|spnd|sndash|spaced ndash|spaced en dash|snds", _fixed(" – ")),
    **_each("smd|smdash|spaced mdash|spaced em dash", _fixed(" — ")),
    **_each("nbsp|space|spaces|sp|thinsp|thin space|hair space|zwsp", _fixed(" ")),
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


def expand(parts: list[str]) -> str:
    """What stands for `{{parts[0]|parts[1]|...}}` in a sentence; empty for a template that is not known.

    >>> expand(["convert", "1500", "km", "mi"])
    '1,500 kilometres'
    >>> expand(["formatnum:1234"])
    '1,234'
    """
    name = " ".join(parts[0].replace("_", " ").split()).lower()
    function, colon, first = name.partition(":")
    if colon and function == "formatnum":
        return grouped(first)
    expansion = TEMPLATES.get(name)
    if expansion is None:
        return Arguments.of(parts[1:]).get(1) if name.startswith("lang-") else ""
    return expansion(Arguments.of(parts[1:]))
