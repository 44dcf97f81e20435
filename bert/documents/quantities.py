"""Templates of numbers and measures -> their words: `convert`, `val`, fractions, ordinals, powers, coordinates."""

from __future__ import annotations

import re

from bert.documents.arguments import Arguments
from bert.documents.marks import LEVEL, LOWERED, RAISED

_WHOLE = re.compile(r"\d{4,}")
_NUMBER = re.compile(r"([+\-−]?)(\d+)(\.\d+)?")
# 5-7 is a range, 1e6 a power of ten.
_HYPHEN = re.compile(r"(?<=\d)-(?=\d)")
_EXPONENT = re.compile(r"(?<=\d)e([+-]?\d+)$", re.IGNORECASE)
# 5+1/2 and 1//2 of `convert`.
_MIXED = re.compile(r"([+\-−]?)(?:(\d+)\+)?(\d+)//?(\d+)")
_GAUGE = re.compile(r"([\d.]+)\s*(mm|ft|in)(?:\s*([\d.]+)\s*in)?")


def grouped(number: str) -> str:
    """Thousands apart: "1234567.5" -> "1,234,567.5"; what is no number stays as it is."""
    match = _NUMBER.fullmatch(number.strip())
    return f"{match[1]}{int(match[2]):,}{match[3] or ''}" if match and _WHOLE.fullmatch(match[2]) else number.strip()


def power_of_ten(a: Arguments) -> str:
    """3.3{{e|-20}}: 3.3 × 10^-20"""
    return f" × 10{RAISED}{a.get(1)}{LEVEL}" if a.get(1) else ""


def fraction(a: Arguments) -> str:
    """1/2; behind a number, which `5{{frac|1|2}}` has before it, it is kept apart."""
    parts = a.positional[:3]
    if len(parts) == 3:
        return f"{parts[0]} {parts[1]}/{parts[2]}"
    return f"{RAISED}{parts[0] if len(parts) == 2 else 1}{LEVEL}/{LOWERED}{parts[-1]}{LEVEL}" if parts else ""


def ordinal(a: Arguments) -> str:
    number = a.get(1)
    if not number.isdigit():
        return number
    ending = "th" if number[-2:] in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ending


def val(a: Arguments) -> str:
    """1,234.5±0.5 × 10^3 km/s, 12–14 m, 1.23+0.1−0.2: https://en.wikipedia.org/wiki/Template:Val"""
    unit, per = (a.named.get(name) or a.named.get(f"{name}l") or "" for name in ("u", "up"))
    parts, number, at = a.positional, grouped(a.get(1)), 1
    while at + 1 < len(parts) and parts[at] in _RANGES:
        number += _RANGES[parts[at]] + grouped(parts[at + 1])
        at += 2
    errors = [error for error in parts[at : at + 2] if error]
    if len(errors) == 2:
        number += f"+{errors[0].lstrip('+')}−{errors[1].lstrip('-−')}"
    elif errors:
        number += errors[0] if errors[0][0] in "(+-−" else f"±{errors[0]}"
    if a.named.get("e"):
        number += f"{' × ' if number else ''}10{RAISED}{a.named['e']}{LEVEL}"
    units = f" {unit}{'/' + per if per else ''}".rstrip()
    return f"{a.named.get('p', '')}{number}{a.named.get('s', '')}{units}".strip()


def chemistry(a: Arguments) -> str:
    """{{chem|SO|4|2-}}: SO4^2−; symbols and how many, then a charge."""
    *formula, last = a.positional or [""]
    is_charge = len(last) > 1 and last[-1] in "+-−" and last[:-1].isdigit()
    text = "".join(formula if is_charge else a.positional)
    return f"{text}{RAISED}{last}{LEVEL}" if is_charge else text


def height(a: Arguments) -> str:
    return " ".join(f"{a.named[u]} {u}" for u in ("m", "cm", "ft", "in") if a.named.get(u))


def coordinates(a: Arguments) -> str:
    """13°19′N 169°9′W; nothing where they stand only in the page's title."""
    if a.named.get("display") in ("title", "t"):
        return ""
    places: list[str] = []
    numbers: list[str] = []
    for part in a.positional:
        if part in ("N", "S", "E", "W"):
            places.append("".join(map("".join, zip(numbers, "°′″", strict=False))) + part)
            numbers = []
        elif _NUMBER.fullmatch(part):
            numbers.append(part)
        else:
            break
    if not places and len(numbers) == 2:
        places = [
            f"{number.lstrip('+-−')}°{below if number[0] in '-−' else above}"
            for number, above, below in zip(numbers, "NE", "SW", strict=True)
        ]
    return " ".join(places)


# Of the names that are codes, the most frequent: standard, Irish, Cape and metre gauge.
_GAUGES = {
    "sg": "1435mm",
    "ussg": "4ft8.5in",
    "uksg": "4ft8.5in",
    "irish": "1600mm",
    "cape": "1067mm",
    "metre": "1000mm",
}


def track_gauge(a: Arguments) -> str:
    """The width of a railway track: 1,435 mm, 4 ft 8.5 in."""
    found = _GAUGE.fullmatch(_GAUGES.get(a.get(1).lower(), a.get(1)))
    if found is None:
        return a.get(1)
    return f"{grouped(found[1])} {found[2]}" + (f" {found[3]} in" if found[3] else "")


# code, other codes: symbol: one: many
_UNITS = {
    code: (symbol, one, many)
    for codes, symbol, one, many in (
        map(str.strip, line.split(":"))
        for line in """\
pm: pm: picometre: picometres
nm: nm: nanometre: nanometres
um μm µm: μm: micrometre: micrometres
mm: mm: millimetre: millimetres
cm: cm: centimetre: centimetres
dm: dm: decimetre: decimetres
m metre meter metres meters: m: metre: metres
km kilometre kilometer kilometres kilometers: km: kilometre: kilometres
in inch inches: in: inch: inches
ft foot feet: ft: foot: feet
yd yard yards: yd: yard: yards
mi mile miles: mi: mile: miles
nmi: nmi: nautical mile: nautical miles
fathom: fathom: fathom: fathoms
furlong: furlong: furlong: furlongs
chain: ch: chain: chains
league: league: league: leagues
AU au: AU: astronomical unit: astronomical units
ly: ly: light-year: light-years
pc: pc: parsec: parsecs
kpc: kpc: kiloparsec: kiloparsecs
Mpc: Mpc: megaparsec: megaparsecs
mm2: mm²: square millimetre: square millimetres
cm2: cm²: square centimetre: square centimetres
m2 sqm: m²: square metre: square metres
km2 sqkm: km²: square kilometre: square kilometres
ha hectare hectares: ha: hectare: hectares
dunam: dunam: dunam: dunams
acre acres: acres: acre: acres
sqin: sq in: square inch: square inches
sqft ft2: sq ft: square foot: square feet
sqyd yd2: sq yd: square yard: square yards
sqmi mi2: sq mi: square mile: square miles
cm3 cc: cm³: cubic centimetre: cubic centimetres
m3: m³: cubic metre: cubic metres
km3: km³: cubic kilometre: cubic kilometres
cuin in3: cu in: cubic inch: cubic inches
cuft ft3: cu ft: cubic foot: cubic feet
cuyd yd3: cu yd: cubic yard: cubic yards
cumi mi3: cu mi: cubic mile: cubic miles
acreft acre.ft: acre⋅ft: acre-foot: acre-feet
ml mL: ml: millilitre: millilitres
cl cL: cl: centilitre: centilitres
l L: L: litre: litres
hl hL: hl: hectolitre: hectolitres
USgal U.S.gal: US gal: US gallon: US gallons
impgal: imp gal: imperial gallon: imperial gallons
USoz USfloz U.S.floz: US fl oz: US fluid ounce: US fluid ounces
impoz impfloz: imp fl oz: imperial fluid ounce: imperial fluid ounces
USpt: US pt: US pint: US pints
imppt: imp pt: imperial pint: imperial pints
USqt: US qt: US quart: US quarts
oilbbl bbl: bbl: barrel: barrels
oilbbl/d bbl/d: bbl/d: barrel per day: barrels per day
ug μg µg mcg: μg: microgram: micrograms
mg: mg: milligram: milligrams
g gram grams: g: gram: grams
kg kilogram kilograms: kg: kilogram: kilograms
t tonne tonnes: t: tonne: tonnes
kt: kt: kilotonne: kilotonnes
Mt: Mt: megatonne: megatonnes
gr grain: gr: grain: grains
oz: oz: ounce: ounces
ozt: ozt: troy ounce: troy ounces
lb lbs pound pounds: lb: pound: pounds
st stone: st: stone: stone
cwt: cwt: hundredweight: hundredweight
ST shortton: short tons: short ton: short tons
LT longton: long tons: long ton: long tons
carat: carat: carat: carats
g/cm3: g/cm³: gram per cubic centimetre: grams per cubic centimetre
kg/m3: kg/m³: kilogram per cubic metre: kilograms per cubic metre
km/h kph: km/h: kilometre per hour: kilometres per hour
mph mi/h: mph: mile per hour: miles per hour
m/s: m/s: metre per second: metres per second
km/s: km/s: kilometre per second: kilometres per second
ft/s: ft/s: foot per second: feet per second
ft/min: ft/min: foot per minute: feet per minute
kn knot knots: kn: knot: knots
m3/s: m³/s: cubic metre per second: cubic metres per second
cuft/s ft3/s: cu ft/s: cubic foot per second: cubic feet per second
L/s l/s: L/s: litre per second: litres per second
C °C C-change: °C: °C: °C
F °F F-change: °F: °F: °F
K K-change: K: K: K
W: W: watt: watts
kW: kW: kilowatt: kilowatts
MW: MW: megawatt: megawatts
GW: GW: gigawatt: gigawatts
hp bhp shp ihp: hp: horsepower: horsepower
PS: PS: metric horsepower: metric horsepower
J: J: joule: joules
kJ: kJ: kilojoule: kilojoules
MJ: MJ: megajoule: megajoules
kcal: kcal: kilocalorie: kilocalories
kWh: kWh: kilowatt-hour: kilowatt-hours
eV: eV: electronvolt: electronvolts
N: N: newton: newtons
kN: kN: kilonewton: kilonewtons
lbf: lbf: pound-force: pounds-force
Nm N.m: N⋅m: newton-metre: newton-metres
lbft lb.ft lbfft: lb⋅ft: pound-foot: pound-feet
Pa: Pa: pascal: pascals
hPa: hPa: hectopascal: hectopascals
kPa: kPa: kilopascal: kilopascals
MPa: MPa: megapascal: megapascals
bar: bar: bar: bars
mbar: mbar: millibar: millibars
atm: atm: standard atmosphere: standard atmospheres
psi: psi: pound per square inch: pounds per square inch
inHg: inHg: inch of mercury: inches of mercury
mmHg: mmHg: millimetre of mercury: millimetres of mercury
Hz: Hz: hertz: hertz
kHz: kHz: kilohertz: kilohertz
MHz: MHz: megahertz: megahertz
GHz: GHz: gigahertz: gigahertz
mpgus mpgUS: mpg: mile per US gallon: miles per US gallon
mpgimp: mpg: mile per imperial gallon: miles per imperial gallon
L/100 km: L/100 km: litre per 100 kilometres: litres per 100 kilometres
s: s: second: seconds
min: min: minute: minutes
h hr: h: hour: hours
d day: d: day: days
/km2 PD/km2: /km²: inhabitant per square kilometre: inhabitants per square kilometre
/sqmi PD/sqmi: /sq mi: inhabitant per square mile: inhabitants per square mile""".splitlines()
    )
    for code in ([codes] if codes == "L/100 km" else codes.split())
}
_WORD = re.compile(r"^-?[a-z]{3,}(?:[ -][a-z]+)*$")
# Thousands and millions in the code of a unit: e6km, koilbbl/d, Tcuft.
_MULTIPLE = re.compile(r"(e3|e6|e9|e12)(.+)|([kMGT])((?:oil)?bbl(?:/d)?|cuft(?:/d)?|USgal(?:/d)?|ft3)")
_MULTIPLES = dict.fromkeys(("e3", "k"), "thousand") | dict.fromkeys(("e6", "M"), "million")
_MULTIPLES |= dict.fromkeys(("e9", "G"), "billion") | dict.fromkeys(("e12", "T"), "trillion")
_RANGES = {
    **dict.fromkeys(("-", "–"), "–"),
    **dict.fromkeys(("x", "×", "xx", "by(x)", "*"), " × "),
    **dict.fromkeys(("+/-", "±"), " ± "),
    **dict.fromkeys(("and", "and(-)", "&"), " and "),
    **dict.fromkeys(("to", "to(-)"), " to "),
    **{word: f" {word} " for word in ("or", "to about", "above", "below")},
    ",": ", ",
    "/": "/",
    "by": " by ",
}
_COMPOUNDS = frozenset((("ft", "in"), ("st", "lb"), ("lb", "oz"), ("mi", "yd"), ("mi", "ft"), ("yd", "ft")))


def _number(text: str) -> str:
    """A number as `convert` takes it: 5+1/2 is 5 1/2."""
    text = _EXPONENT.sub(rf" × 10{RAISED}\1{LEVEL}", _HYPHEN.sub("–", text.strip()))
    if mixed := _MIXED.fullmatch(text):
        return f"{mixed[1]}{mixed[2] + ' ' if mixed[2] else ''}{mixed[3]}/{mixed[4]}"
    return grouped(f"0{text}" if text.startswith(".") else text)


def _is_one(number: str) -> bool:
    """Whether a unit is in the singular: 1 mile, 1/2 mile, 0.5 miles."""
    mixed = _MIXED.fullmatch(number)
    return number.lstrip("+-−") == "1" or (mixed is not None and int(mixed[3]) <= int(mixed[4]))


def _measure(number: str, unit: str, short: bool, adjective: bool) -> str:
    if unit not in _UNITS and (found := _MULTIPLE.fullmatch(unit)):
        number, unit = f"{number} {_MULTIPLES[found[1] or found[3]]}", found[2] or found[4]
    symbol, one, many = _UNITS.get(unit, (unit, unit, unit))
    if short or one == many == symbol:  # temperatures are never written out
        return f"{number}{'' if symbol.startswith('/') else ' '}{symbol}"
    if adjective:
        return f"{number}-{one.replace(' ', '-')}"
    return f"{number} {one if _is_one(number) else many}"


def convert(a: Arguments, short: bool = False) -> str:
    """The quantity as it was measured; not what it is in other units."""
    parts = a.positional
    if len(parts) < 2:
        return " ".join(parts)
    number, at = _number(parts[0]), 1
    while at + 1 < len(parts) and parts[at] in _RANGES:
        number += _RANGES[parts[at]] + _number(parts[at + 1])
        at += 2
    if at >= len(parts):
        return number
    short = a.named.get("abbr") != "off" and (short or a.named.get("abbr") in ("on", "in"))
    manner = a.named.get("adj", "")
    adjective = a.says("adj") or manner == "mid"
    measured = _measure(number, parts[at], short, adjective)
    if manner in ("mid", "pre") and len(parts) > at + 1 and parts[-1] not in _UNITS and _WORD.search(parts[-1]):
        # 60-pound-long, 5 long miles
        measured = f"{measured}{parts[-1]}" if manner == "mid" else measured.replace(" ", f" {parts[-1]} ", 1)
    if at + 2 < len(parts) and (parts[at], parts[at + 2]) in _COMPOUNDS and parts[at + 1][:1].isdigit():
        measured += f" {_measure(_number(parts[at + 1]), parts[at + 2], short, adjective)}"
    if a.named.get("sp", "").lower() == "us":
        return measured.replace("metre", "meter").replace("litre", "liter").replace("tonne", "metric ton")
    return measured
