"""How single words sound: two published lexicons merged, and our corrections for service calls.

VADER's (MIT licence; tweets rated by people, -4..4) knows verbs, nouns and slang; pattern's, which TextBlob
ships (PDDL; adjectives, -1..1), knows evaluating adjectives. Both call things good or bad that are mere facts
in a call ("free", "cheap", "number", "please"): those are struck out in NEUTRAL.
"""

from __future__ import annotations

from functools import lru_cache

from textblob.en import sentiment as pattern_sentiment
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from workers.insight.tokens import tokenise

VADER_SCALE = 3.2
"""VADER's strongest everyday words ("love", "great", "terrible") stand near +-3.2; they become +-1."""
PATTERN_ONLY_WEIGHT = 0.6
"""Words known to pattern alone are mostly inferred, not rated by people: they count for less."""
TOPIC_NEGATIVE, TOPIC_POSITIVE = 0.5, 0.8
"""Weight of words we have not judged ourselves: mostly they say what the talk is about ("disaster", "sad",
"restriction"), not how the speaker feels about the service; ill words of a topic are the commoner."""
MIN_VALENCE = 0.12
"""Below this a word's tone is not worth a reason in the table."""

NEUTRAL = frozenset(
    """
    please like liked likes yes no not help helps helping helped number free cheap cheaper cheapest want wants wanted
    interest interested interesting care share pay paid paying charge charges charged card cards credit debit
    account bank sure okay kind fine well right left top hand hands new first last next other more most much
    many whole full own able certain open general high higher low lower main major available special possible
    possibly close closed early late later real really live long short old young big small large little hot cold warm
    cool exactly quite very extremely so such same different particular own just only sorry apologies apology
    apologize apologise hello hi dear hey goodbye bye welcome thank thanks thankful no-one
    stop stops stopped cancel cancels canceled canceling cancellation cut cuts drop drops dropped block blocked blocking
    blocks lost lose losing alert alerts alarm crisis emergency death dead died fire security secure safe
    insurance fraud legal lawyer court chance novel white black red green blue yellow gray grey orange light
    dark heavy round flat double single half clear clearly check checked validate agree agreed agreement accept
    accepted approval approve join joined reach reached save saved saving savings yeah
    problem problems issue issues question questions demand demands fee fees fine fault matter matters
    hold hung hang hanging pressure noise gross net worth value values rich poor positive negative
    further complete completed completely total totally actual actually normal usual usually past present
    current recent ready easy busy alone behind wait waiting waits waited
    certainly definitely absolutely course perfectly
    ever never often always current final public private local human physical
    natural average standard serious seriously second minor popular fair original foreign english
    american british french german chinese italian spanish indian
    crazy sick sweet dirty hard tough wild critical action fun animated straight simple
    attraction attractions allow allows allowed entertainment accessible accessibility true fitness fit safety party game
    games play plays played playing giving given golden narrow sound sounds mean means missing miss god ill l honest
    honestly friend friends unable accepts important strong willing famous exact unique unusual heart dream matter
    successful unsuccessful successfully limited few least latest lately delay delayed holiday holidays hero beauty
    mine fan drama horror scary war wars comedy comedies thriller mystery evil kill killer hell killing star stars
    romance romantic alien ghost witch scream die murder crime fight battle violence gun enemy justice parade
    """.split()
)

CORRECTIONS: dict[str, float] = {
    # words of service calls that both lexicons miss, misjudge or rate by another sense
    "useless": -0.9, "pointless": -0.7, "unacceptable": -0.95, "ridiculous": -0.95, "disgraceful": -1.0,
    "appalling": -1.0, "shocking": -0.8, "disgusting": -1.0, "outrageous": -1.0, "furious": -1.0, "livid": -1.0,
    "angry": -0.85, "frustrated": -0.8, "frustrating": -0.8, "annoyed": -0.7, "annoying": -0.7, "upset": -0.7,
    "disappointed": -0.7, "disappointing": -0.7, "unhappy": -0.7, "dissatisfied": -0.8, "incompetent": -1.0,
    "unprofessional": -0.9, "rude": -0.9, "liar": -1.0, "lie": -0.7, "lies": -0.7, "lying": -0.9, "lied": -0.9,
    "scam": -1.0, "scammed": -1.0, "cheated": -0.9, "misled": -0.8, "nonsense": -0.8, "rubbish": -0.8,
    "joke": -0.6, "farce": -0.9, "shambles": -0.9, "mess": -0.6, "nightmare": -0.9, "broken": -0.6, "faulty": -0.6,
    "damaged": -0.6, "wrong": -0.5, "incorrect": -0.5, "mistake": -0.4, "error": -0.3, "overcharged": -0.7,
    "worst": -1.0, "worse": -0.6, "fails": -0.5, "failed": -0.5, "failing": -0.5, "fail": -0.5, "ignored": -0.7,
    "worried": -0.45, "worry": -0.3, "scared": -0.6, "frightened": -0.6, "confused": -0.35, "confusing": -0.4,
    "stolen": -0.5, "stole": -0.5, "stupid": -0.6, "idiot": -0.9, "idiots": -1.0, "shame": -0.6, "damn": -0.6, "bloody": -0.6,
    "fucking": -0.9, "fuck": -1.0, "shit": -0.9, "bullshit": -1.0, "crap": -0.8, "sucks": -0.8, "boring": -0.5,
    "awful": -0.9, "terrible": -0.95, "horrible": -0.95, "dreadful": -0.95, "atrocious": -1.0, "poor": -0.4,
    "weird": -0.3, "overrated": -0.4, "expensive": -0.15, "inconvenient": -0.4, "unfortunately": -0.3,
    "unfair": -0.6, "slow": -0.3, "unreliable": -0.7, "hopeless": -0.8, "insulting": -0.8, "tired": -0.4,
    "hate": -0.8, "hated": -0.7, "dislike": -0.6, "impossible": -0.4, "insane": -0.5,
    "great": 0.75, "good": 0.45, "nice": 0.5, "lovely": 0.6, "brilliant": 0.85, "perfect": 0.8, "wonderful": 0.85,
    "excellent": 0.9, "fantastic": 0.95, "amazing": 0.9, "awesome": 0.9, "superb": 0.9, "fabulous": 0.8,
    "helpful": 0.7, "patient": 0.5, "grateful": 0.8, "appreciate": 0.7, "appreciated": 0.7, "relief": 0.7,
    "relieved": 0.6, "pleased": 0.6, "glad": 0.6, "happy": 0.6, "delighted": 0.9, "satisfied": 0.6, "enjoy": 0.5,
    "enjoyed": 0.6, "love": 0.6, "loved": 0.6, "favorite": 0.4, "favourite": 0.4, "best": 0.6, "better": 0.2,
    "hope": 0.15, "cheers": 0.4, "funny": 0.3, "congratulations": 0.5, "sorted": 0.4, "resolved": 0.4, "solved": 0.4,
    "awesomely": 0.8, "cool": 0.35, "fun": 0.3, "interesting": 0.3, "haha": 0.3, "lol": 0.15, "sweet": 0.3,
    "ok": 0.1, "okay": 0.1, "alright": 0.1, "afraid": -0.25, "wow": 0.15, "wish": 0.1, "cry": -0.3,
    "smooth": 0.3, "efficient": 0.5, "quick": 0.2, "promptly": 0.3, "recommend": 0.1, "works": 0.2,
}  # fmt: skip

NEGATORS = frozenset(
    "not no never nobody nothing none neither nor without hardly barely scarcely nowhere".split()
)
BREAKS = frozenset("but because although though however except then if when while unless so".split())
"""Words after which a negation no longer reaches: recognised speech has no commas to say it."""

INTENSIFIERS = {
    "very": 1.3, "really": 1.25, "so": 1.2, "extremely": 1.5, "absolutely": 1.4, "completely": 1.35, "totally": 1.35,
    "utterly": 1.5, "incredibly": 1.45, "such": 1.2, "too": 1.15, "quite": 1.1, "truly": 1.25, "seriously": 1.25,
    "particularly": 1.2, "especially": 1.2, "ever": 1.1, "most": 1.2, "huge": 1.3, "total": 1.3, "complete": 1.3,
    "fucking": 1.4, "bloody": 1.3, "pretty": 1.1,
}  # fmt: skip
DAMPENERS = {"bit": 0.6, "slightly": 0.55, "somewhat": 0.65, "fairly": 0.85, "little": 0.65, "sort": 0.8, "almost": 0.8, "kinda": 0.75}


@lru_cache(maxsize=1)
def valences() -> dict[str, float]:
    """Word -> valence -1..1, words of one token only. Loads both lexicons once (about 0.2 s)."""
    merged: dict[str, list[tuple[float, float]]] = {}
    for word, rating in SentimentIntensityAnalyzer().lexicon.items():
        if word.isalpha():
            merged.setdefault(word, []).append((max(-1.0, min(1.0, rating / VADER_SCALE)), 1.0))
    pattern_sentiment.load()
    for word, senses in pattern_sentiment.items():
        if word and word.isalpha() and senses.get(None):
            merged.setdefault(word, []).append((senses[None][0], PATTERN_ONLY_WEIGHT))
    table: dict[str, float] = {}
    for word, ratings in merged.items():
        value = ratings[0][0] * ratings[0][1] if len(ratings) == 1 else sum(r for r, _ in ratings) / 2
        if abs(value) >= MIN_VALENCE:
            table[word] = value
    for word, value in table.items():
        table[word] = value * (TOPIC_NEGATIVE if value < 0 else TOPIC_POSITIVE)
    for word in NEUTRAL:
        table.pop(word, None)
    for word, value in CORRECTIONS.items():
        forms = tokenise(word).forms
        if len(forms) == 1:
            table[forms[0]] = value
    return table
