"""bert/documents/templates.py: inline templates on worked examples, as their documentation pages show them."""

from __future__ import annotations

import pytest

from bert.documents.dumps import Site
from bert.documents.templates import expand
from bert.documents.wikitext import passages
from tests.corpus import documents_settings


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("convert|5|km|mi", "5 kilometres"),
        ("convert|1|km|mi", "1 kilometre"),
        ("convert|1500|ft|m|abbr=on", "1,500 ft"),
        ("Cvt|10|kg", "10 kg"),
        ("convert|10|to|20|°F", "10 to 20 °F"),
        ("convert|1/2|mi|km", "1/2 mile"),
        ("convert|5+1/2|in|mm", "5 1/2 inches"),
        ("convert|3//4|in", "3/4 inch"),
        ("convert|0.5|mi", "0.5 miles"),
        ("convert|6|e6acre|km2", "6 million acres"),
        ("convert|2|Tcuft", "2 trillion cubic feet"),
        ("convert|40|PD/km2|abbr=on", "40/km²"),
        ("convert|30|C-change", "30 °C"),
        ("convert|2|-|3.5|mi", "2–3.5 miles"),
        ("convert|4|x|6|m|adj=on", "4 × 6-metre"),
        ("convert|6|ft|2|in|m", "6 feet 2 inches"),
        ("convert|3|by|4", "3 by 4"),
        ("convert", ""),
        ("nowrap|ten herons", "ten herons"),
        ("nowrap|1=a = b", "a = b"),
        ("lang|la|Ardea", "Ardea"),
        ("lang-de|Reiher", "Reiher"),
        ("lang|code=de|text=Reiher", "Reiher"),
        ("nihongo||鷺|sagi", "鷺"),
        ("tlit|ar|balshun", "balshun"),
        ("b.|1900", "b. 1900"),
        ("bibleverse||John|3:16|KJV", "John 3:16"),
        ("bibleverse|1|John|3:16", "1 John 3:16"),
        ("key press|Ctrl|C", "Ctrl+C"),
        ("USS|Heron|CV-6", "USS Heron (CV-6)"),
        ("USS|Heron|CV-6|2", "USS Heron"),
        ("convert|5|km|mi|sp=us", "5 kilometers"),
        ("convert|60|lb|kg|adj=mid|-long", "60-pound-long"),
        ("cvt|5|km|abbr=off", "5 kilometres"),
        ("convert|5-7|km", "5–7 kilometres"),
        ("convert|.5|km", "0.5 kilometres"),
        ("track gauge|sg", "1,435 mm"),
        ("circa|1900|1950", "c. 1900 – c. 1950"),
        ("chf|5000", "CHF 5,000"),
        ("langr|de|Reiher", "Reiher"),
        ("script|Hebr|אנפה", "אנפה"),
        ("script|אנפה", "אנפה"),
        ("script/Arabic|بلشون", "بلشون"),
        ("Template:lang|de|Reiher", "Reiher"),
        ("zh|s=鹭|t=鷺|p=lù", "鹭"),
        ("mdashb", "—"),
        ("angbr|a", "⟨a⟩"),
        ("ipa|/a/", "/a/"),
        ("ipa|de|ˈʁaɪɐ", ""),
        ("lc:HERON", "heron"),
        ("ucfirst:heron", "Heron"),
        ("nuclide|uranium|235", "uranium-235"),
        ("music|flat", "♭"),
        ("track gauge|1435mm", "1,435 mm"),
        ("track gauge|4ft8.5in", "4 ft 8.5 in"),
        ("oldstyledate|2 February|1905|20 January", "2 February [O.S. 20 January] 1905"),
        ("harvtxt|Grey|Heron|1990|p=3", "Grey & Heron (1990, p. 3)"),
        ("harvnb|Grey|Heron|Crane|Stork|1990", "Grey et al. 1990"),
        ("cite quran|29|46|style=nosup", "Quran 29:46"),
        ("coord|13|19|N|169|9|W|type:event", "13°19′N 169°9′W"),
        ("coord|12.5|-5.25", "12.5°N 5.25°W"),
        ("coord|12.5|-5.25|display=title", ""),
        ("sclass|Heron|frigate", "Heron-class frigate"),
        ("hover title|a bird|heron", "heron"),
        ("transl|ja|ISO|sagi", "sagi"),
        ("formatnum:-1234567.50", "-1,234,567.50"),
        ("formatnum:many", "many"),
        ("circa|1900", "c. 1900"),
        ("circa", "c."),
        ("reign|1900|1910", "r. 1900–1910"),
        ("birth date|1901|2|3", "February 3, 1901"),
        ("birth date and age|df=yes|1901|02|03", "3 February 1901"),
        ("start date|1901|12", "December 1901"),
        ("start date|1901", "1901"),
        ("as of|2001|2", "As of February 2001"),
        ("as of|2001|2|3|lc=y", "as of 3 February 2001"),
        ("as of|2001|since=y|lc=y", "since 2001"),
        ("frac|1|2|3", "1 2/3"),
        ("ordinal|112", "112th"),
        ("ordinal|22", "22nd"),
        ("val|1234.5|0.5|u=km", "1,234.5±0.5 km"),
        ("height|ft=5|in=9", "5 ft 9 in"),
        ("£|12000", "£12,000"),
        ("USS|Heron", "USS Heron"),
        ("ill|Heron|de|Reiher|lt=grey heron", "grey heron"),
        ("sic|hurron", "hurron"),
        ("snd", " – "),
        ("  NoWrap \n|x", "x"),
        ("Infobox bird|name=Heron|heron", ""),
        ("", ""),
    ],
)
def test_an_inline_template_is_the_words_that_a_reader_sees(template: str, expected: str) -> None:
    assert expand(template.split("|")) == expected


def test_templates_in_a_sentence_leave_no_hole() -> None:
    text = (
        "The '''heron''' ({{lang-la|Ardea}}; {{IPA|x}}) stands {{convert|{{formatnum:1200}}|mm|in}} "
        "tall{{citation needed}}, {{snd}}up to {{nowrap|{{frac|1|2}} of}} a man ({{coord|1|2}}, {{cn}})."
    )
    expected = ["The heron (Ardea; x) stands 1,200 millimetres tall, – up to 1/2 of a man (1°N 2°E)."]
    assert passages(text, Site(), documents_settings())[0] == expected


def test_a_quotation_is_a_paragraph_by_itself() -> None:
    text = "She wrote: {{quote|I saw\none heron.|Anne}} No more."
    assert passages(text, Site(), documents_settings())[0] == ["She wrote:", "I saw one heron.", "No more."]
