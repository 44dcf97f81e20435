"""Closed classes of English words that the rules look at."""

from __future__ import annotations

MONTHS = tuple("January February March April May June July August September October November December".split())
WEEKDAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())

# Number words with their value; "one" is left out, being a pronoun as often as a number.
NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        start=2,
    )
}
ORDINAL_WORDS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        start=1,
    )
}

PREPOSITIONS = frozenset(
    "in on at by for from to with of into during before after since until through over under between among against "
    "about as within without near across around towards toward upon along behind beyond despite via".split()
)
# A word of these before or after a noun phrase ends it.
FUNCTION_WORDS = PREPOSITIONS | frozenset(
    "the a an this that these those his her its their our my your and or but nor so if when while where who whom whose "
    "which what how why than then there here not no is are was were be been being has have had do does did will would "
    "can could shall should may might must he she it they we you i him them us me each every all both some any many "
    "much most more few several other another such only also even just however although though because one two three "
    "first last new old".split()
)
TITLES = frozenset("Mr Mrs Ms Dr Prof Sir Lord Lady Dame Mr. Mrs. Ms. Dr. Prof. St. Rev. Capt. Gen. Sen.".split())
# Single capitalised words of these are adjectives more often than names.
NATIONALITIES = tuple(
    "African Albanian Algerian American Arab Arabic Argentine Armenian Asian Athenian Australian Austrian Babylonian "
    "Belgian Brazilian British Byzantine Canadian Catholic Chinese Christian Cuban Czech Danish Dutch Egyptian English "
    "European Finnish French German Greek Hebrew Hindu Hungarian Indian Indonesian Iranian Iraqi Irish Islamic Israeli "
    "Italian Japanese Jewish Korean Latin Mexican Muslim Norwegian Ottoman Pakistani Palestinian Persian Polish "
    "Portuguese Protestant Roman Romanian Russian Scottish Serbian Soviet Spanish Swedish Swiss Syrian Turkish "
    "Ukrainian Victorian Vietnamese Welsh".split()
)

# base, past, past participle of verbs whose passive is easily turned round.
_IRREGULAR = (
    "write wrote written, build built built, make made made, find found found, lead led led, hold held held, "
    "give gave given, take took taken, know knew known, see saw seen, begin began begun, win won won, lose lost lost, "
    "teach taught taught, sell sold sold, buy bought bought, bring brought brought, fight fought fought, "
    "drive drove driven, draw drew drawn, grow grew grown, choose chose chosen, sing sang sung, steal stole stolen, "
    "speak spoke spoken, wear wore worn, break broke broken, eat ate eaten, beat beat beaten, shoot shot shot, "
    "meet met met, catch caught caught, keep kept kept, leave left left, read read read, set set set, "
    "overthrow overthrew overthrown, oversee oversaw overseen, rewrite rewrote rewritten"
)
# Participle -> past tense; regular verbs have one form for both.
PAST_OF = {participle: past for _, past, participle in (verb.split() for verb in _IRREGULAR.split(", "))}
PARTICIPLE_OF = {past: participle for participle, past in PAST_OF.items()}
# Past forms after which a direct object is likely: "wrote the", "founded a".
TRANSITIVE_PASTS = frozenset(PARTICIPLE_OF) - {"began", "grew", "read", "set", "left"} | frozenset(
    "founded created designed published directed produced composed painted developed discovered invented introduced "
    "established organised organized defeated captured attacked destroyed killed rejected accepted adopted approved "
    "launched opened signed announced recorded released edited translated conquered invaded occupied abolished "
    "described proposed criticised criticized praised supported opposed married succeeded replaced joined received "
    "studied visited attended commissioned formulated constructed ordered banned released reported".split()
)
# Subject and object forms of pronouns, for turning a passive round.
OBJECT_FORM = {"he": "him", "she": "her", "they": "them", "i": "me", "we": "us", "it": "it", "who": "whom"}
SUBJECT_FORM = {"him": "he", "her": "she", "them": "they", "me": "I", "us": "we", "it": "it"}

# Adverbs and asides that can go without changing what is claimed.
DROPPABLE = tuple(
    "also very quite rather highly extremely particularly indeed actually simply really truly merely eventually "
    "subsequently therefore thus essentially basically clearly obviously naturally itself himself themselves herself "
    "further considerably fairly effectively specifically newly certainly".split()
)
ASIDES = ("however", "for example", "for instance", "in fact", "of course", "in turn", "in particular", "therefore",
          "too", "indeed", "moreover", "furthermore", "nevertheless", "meanwhile", "in addition", "additionally",
          "as well", "thus", "consequently", "as a result", "likewise", "similarly", "instead")  # fmt: skip

# British and American stems with the endings that both take.
SPELLINGS = (
    ("colour/color honour/honor favour/favor labour/labor neighbour/neighbor harbour/harbor humour/humor "
     "behaviour/behavior flavour/flavor rumour/rumor", "|s|ed|ing|ful|able|er|ers|hood|hoods|al"),
    ("centre/center theatre/theater metre/meter litre/liter fibre/fiber kilometre/kilometer millimetre/millimeter "
     "defence/defense offence/offense programme/program catalogue/catalog dialogue/dialog grey/gray "
     "aluminium/aluminum mediaeval/medieval traveller/traveler plough/plow judgement/judgment analogue/analog", "|s"),
    ("travelled/traveled travelling/traveling labelled/labeled cancelled/canceled modelled/modeled "
     "analysed/analyzed analysing/analyzing ageing/aging sceptical/skeptical encyclopaedia/encyclopedia", ""),
    ("organis/organiz recognis/recogniz realis/realiz characteris/characteriz civilis/civiliz colonis/coloniz "
     "criticis/criticiz emphasis/emphasiz generalis/generaliz industrialis/industrializ modernis/moderniz "
     "popularis/populariz specialis/specializ standardis/standardiz symbolis/symboliz utilis/utiliz "
     "apologis/apologiz authoris/authoriz nationalis/nationaliz privatis/privatiz stabilis/stabiliz",
     "e|es|ed|ing|ation|ations|ational"),
)  # fmt: skip
