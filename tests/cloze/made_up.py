"""Documents in our own words, with names, dates and numbers, on which many of the rules fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bert.documents.document import Document
from bert.pipeline import manifest

PEOPLE = "Anna Grey;Tom Hale;Mara Lind;Otto Berg;Ida Voss;Paul Reed;Nora Finch;Karl Stone".split(";")
PLACES = "Norland;Sund;Westmark;Brava;Ostia;Larkfield;Tarn;Velden".split(";")
MONTHS = "January;February;April;June;July;September".split(";")
TEMPLATES = (
    "In {year}, {person} bought a large house in {place} from several farmers.",
    "The company of {person} also sold {number} ships to {place} and {place2} before the war.",
    "{person} said that the harbour of {place} was not open until {day} {month} {year}.",
    "The old bridge was built by {person} in {year} near the famous tower.",
    "Although {person} wanted to stay, the council of {place} refused to pay {number} dollars.",
    "The museum, which was founded in {year}, often received paintings from {place}.",
    "About {number} people lived in {place} (a small town) at the end of the year.",
    "However, {person} did not go to {place} because the road was very difficult.",
    "{person}, a painter, moved to {place} and {place2} in the 19th century.",
    "The leader of {place} believed that the southern border had been closed for {small} years.",
    "The film was quickly finished by {person} and shown in {place} in {month} {year}.",
    "Most of the children in {place} usually started school with {person} in {year}.",
)


def document(number: int, sentences: int = 24, corpus: str = "made") -> Document:
    """The same for the same number: paragraphs of three sentences."""
    rng = np.random.default_rng(number)

    def sentence() -> str:
        place, place2 = rng.permutation(PLACES)[:2]
        return str(rng.choice(TEMPLATES)).format(
            person=rng.choice(PEOPLE),
            place=place,
            place2=place2,
            month=rng.choice(MONTHS),
            year=rng.integers(1820, 1990),
            day=rng.integers(1, 29),
            number=rng.integers(21, 900),
            small=rng.choice(["three", "four", "nine"]),
        )

    made = [sentence() for _ in range(sentences)]
    passages = [" ".join(made[at : at + 3]) for at in range(0, sentences, 3)]
    return Document(f"{corpus}:{number}", f"https://example.org/{number}", f"Story {number}", "\n".join(passages))


def write_folder(folder: Path, documents: list[Document], files: int = 1) -> Path:
    """A folder as the documents stage writes it; without documents, an unconfigured one."""
    folder.mkdir(parents=True)
    if not documents:
        manifest.write_unconfigured(folder)
        return folder
    entries = []
    for at in range(files):
        name, own = f"documents-{at:05d}.jsonl", documents[at::files]
        (folder / name).write_bytes(b"".join(document.to_json() for document in own))
        entries.append({"path": name, "documents": len(own)})
    manifest.write(folder, entries)
    return folder


QUESTIONS: dict[str, Any] = {
    "max_train": 10000,
    "max_dev": 10000,
    "max_per_document": 100,
    "max_per_context": 3,
    "min_context_sentences": 2,
    "max_context_chars": 600,
    "min_question_words": 4,
    "max_question_words": 20,
    "max_answer_words": 4,
}
DISTORTIONS = {
    "relation": 1.0,
    "opposite": 1.0,
    "negation": 1.0,
    "number": 1.0,
    "name": 1.0,
    "noun": 1.0,
    "ending": 1.0,
    "roles": 1.0,
}
PARAPHRASES: dict[str, Any] = {
    "max_train": 10000,
    "max_dev": 10000,
    "max_per_document": 100,
    "min_words": 6,
    "max_words": 30,
    "min_rewrites": 2,
    "max_rewrites": 3,
    "distortions": DISTORTIONS,
    "distortion_rounds": 2,
    "candidates": 6,
    "overlap_tolerance": 0.05,
}
CLOZE: dict[str, Any] = {"dev_share": 0.3, "questions": QUESTIONS, "paraphrases": PARAPHRASES}
