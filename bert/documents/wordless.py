"""Templates that show no words of a sentence: footnotes, editors' remarks, pronunciations, boxes, notices, layout.

Left out like those that are not known, but not counted as holes. The names are those of the English Wikipedia.
"""

from __future__ import annotations

import re

_NAMES = frozenset(
    name
    for line in """\
citation needed|cn|fact|cb|cit|needs citation|citation required|citations needed|source?|sourceme
unreferenced inline|better source|better source needed|bsn|failed verification|fv|verify source|verification needed
verify|nonspecific|vague|clarify|clarify inline|clarification needed|explain|specify|elucidate|definition needed
define|disambiguation needed|dn|who|who?|whom|by whom|by whom?|which|which?|what|what?|when|when?|where|where?|why
why?|how|how?|how often|how many|dubious|disputed inline|disputed-inline|discuss|contradict-inline
contradictory inline|neologism inline|jargon inline|according to whom|according to whom?|attribution needed
weasel inline|weasel-inline|weasel word|pov statement|pov-statement|peacock inline|peacock term|opinion
editorializing|lopsided|undue inline|undue weight inline|unbalanced opinion|page needed|pages needed|page number
page numbers needed|volume needed|issue needed|full|full citation needed|nfcn|original research inline|or
original research?|synthesis inline|syn|unreliable source?|unreliable source|rs|primary inline|primary source inline
self-published inline|self-published source|third-party inline|third-party source needed|tps|qualify evidence
quantify|quantity|update inline|update after|update needed|needs update|outdated inline|date missing|dead link
broken link|dl|webarchive|wayback|rp|r|ref|refn|ref label|note|note label|notetag|efn|efn-ua|efn-lr|efn-la|efn-lg
sfn|sfnp|sfnm|sfnmp|sfnref|cref|cref2|ctref|shortened footnote|#tag|inflation-fn|inflation/fn|reflist|refs
references|notelist|notelist-ua|notelist-lr|refbegin|refend|citation|cite|cite quick|doi|isbn|issn|oclc|lccn|pmid
pmc|arxiv|bibcode|respell|pronunciation|pronunciation needed|pron-en|usdict|audio|audio-ipa|listen|audio-nohelp
needs ipa|ipa needed|main|main article|main list|main category|see also|see|seealso|also|further|further information
details|details3|more|about|about-distinguish|other uses|other uses of|otheruses|other people|other persons|for|for2
for multi|hatnote|selfref|redirect|redirect2|redirect3|redirect4|redirect-distinguish|redirect-multi|distinguish
distinguish2|not to be confused with|other places|other ships|other hurricanes|two other uses|technical reasons
broader|related articles|similar names|family name hatnote|wiktionary|wikisource|wikinews|wikiquote|wikibooks
wikiversity|wikivoyage|wikispecies|commons|commons category|sister project links|sisterlinks|portal|portal bar
subject bar|library resources box|authority control|short description|dynamic list|update|refimprove
more citations needed|unreferenced|expand section|expert needed|original research|cleanup|disputed|pov|globalize
essay|tone|copy edit|prose|lead too short|lead rewrite|inappropriate tone|primary sources|one source|weasel|peacock
merge|merge to|merge from|mergefrom|mergeto|split|move|notability|orphan|underlinked|confusing|technical|recentism
in-universe|plot|trivia|context|long|very long|bots|multiple issues|good article|featured article|featured list|pp
pp-semi|pp-move|pp-protected|pp-vandalism|pp-pc|top icon|clear|clr|clear left|clear right|-|br|break|crlf|toc
toc limit|toc left|toc right|tocleft|tocright|compact toc|anchor|anchors|visible toc|div col|div col end|colbegin
colend|col-begin|col-break|col-end|col div|col div end|col-2|col-3|col-4|multicol|multicol-break|multicol-end|stack
stack begin|stack end|columns|end|s-start|s-end|end box|start box|hs|ntsh|hid|flagicon|flag icon|flagdeco
country flag|double image|triple image|multiple image|multiple images|wide image|tall image|image|image label begin
image label|image label end|css image crop|gallery|annotated image|panorama|superimpose|image frame|external media
external image|external video|historical populations|us census population|weather box|climate chart|chart|chart top
chart bottom|chart/start|chart/end|graph:chart|clade|cladogram|tree chart|tree chart/start|tree chart/end|familytree
family tree|ahnentafel|bar box|bar percent|pie chart|location map|legend|legend inline|color box|colour box|legend0
election box begin|charmap|tmath|math theorem|equation|numblk|numbered block|mergedmap|defaultsort|displaytitle
use dmy dates|use mdy dates|italic title|lowercase|lowercase title|title language|coord missing|taxonbar|navboxes
increase|decrease|steady|gain|loss|profit|up|down|nochange|wj|shy|void|null|spoken wikipedia|featured portal
in title|attached kml
""".splitlines()
    for name in line.split("|")
)
_KINDS = re.compile(
    r"(?:automatic taxobox|bots|campaignbox|cite|commons|election box|engvar|geobox|image label|infobox|ipac?-"
    r"|location map|navbox|pp-|s-|sidebar|speciesbox|taxobox|top icon|tree list|use|user|wikidata)\b"
    r"|(?:chart|familytree)/|(?:graph|displaytitle|defaultsort):"
    r"|.*(?:[ -]stub| sidebar| navbox| infobox| topics| templates?| inline| needed| section| footer| footnotes)$"
)


def is_wordless(name: str) -> bool:
    """Whether a template, in lower case and with spaces for underscores, is known to show no words of a sentence."""
    return name in _NAMES or _KINDS.match(name) is not None
