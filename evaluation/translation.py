"""How good translations are: BLEU, chrF++, and what goes wrong with neural ones.

BLEU (Papineni et al. 2002) and chrF++ (Popović 2017) are sacrebleu's (Post 2018), whose
signature says how a score was computed.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from babelet.core.languages import CHINESE, UNSPACED, primary

# N texts -> N translations.
Translate = Callable[[Sequence[str]], list[str]]

PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\(\w+\)[sdif]|%[sdif]\b")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def score(
    sources: Sequence[str],
    references: Sequence[str],
    translations: Sequence[str],
    language: str = "",
) -> dict[str, Any]:
    """Returns everything measured of N translations.

    Args:
        sources: The texts that were translated.
        references: What a person made of them.
        translations: What the model made of them.
        language: Of the translations.

    Returns:
        "bleu" and "chrf", 0 to 100, and their signatures "bleu_signature",
        "chrf_signature"; "exact", the share of translations equal to the reference;
        "length_ratio", characters of the translations over those of the references; the
        shares "empty" and "repeating" of translations; "placeholders_kept" and
        "numbers_kept", the share of sources with any whose placeholders (numbers) are
        the translation's too, None where no source has one; "sentences".
    """
    chrf = CHRF(word_order=2)
    hypotheses, count = list(translations), max(len(translations), 1)
    bleu, value = _bleu(hypotheses, list(references), language)
    return {
        "bleu": value,
        "chrf": chrf.corpus_score(hypotheses, [list(references)]).score,
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
        "exact": sum(map(str.__eq__, translations, references)) / count,
        "length_ratio": sum(map(len, translations)) / max(sum(map(len, references)), 1),
        "empty": sum(not text.strip() for text in translations) / count,
        "repeating": sum(map(repeats, translations)) / count,
        "placeholders_kept": kept(PLACEHOLDER, sources, translations),
        "numbers_kept": kept(NUMBER, sources, translations),
        "sentences": len(translations),
    }


def _bleu(
    translations: list[str], references: list[str], language: str
) -> tuple[BLEU, float]:
    """Returns the metric and BLEU, 0 to 100; 100 for translations equal to references.

    Where no reference has four words, the longest runs there are count: labels of one
    to three words would have BLEU 0 whatever the translations say.
    """
    tokenize = tokenizer_of(language)
    bleu = BLEU(tokenize=tokenize)
    if not bleu.corpus_score(references, [references]).totals[-1]:
        bleu = BLEU(tokenize=tokenize, effective_order=True)
    return bleu, bleu.corpus_score(translations, [references]).score


def tokenizer_of(language: str) -> str:
    """Returns what sacrebleu counts: characters where words are not spaced, or words.

    Args:
        language: A tag such as "de", "zh_CN" or "zh-Hans".
    """
    language = primary(language)
    if language in CHINESE:
        return "zh"
    # Korean has spaces, and particles that stick to its words.
    return "char" if language in UNSPACED | {"ko"} else "13a"


def repeats(text: str, copies: int = 3) -> bool:
    """Tells whether some run of words follows itself, `copies` or more in a row."""
    words = text.split()
    for size in range(1, len(words) // copies + 1):
        agreeing = 0
        for place in range(size, len(words)):
            agreeing = agreeing + 1 if words[place] == words[place - size] else 0
            if agreeing >= (copies - 1) * size:
                return True
    return False


def kept(
    pattern: re.Pattern, sources: Sequence[str], translations: Sequence[str]
) -> float | None:
    """Returns the share of sources with a match whose matches the translation has.

    The matches may be in another order; each must occur as often as in the source.
    Numbers are compared by their digits: "1.5" may become "1,5".
    """
    wanted = [_matches(pattern, text) for text in sources]
    given = [_matches(pattern, text) for text in translations]
    pairs = [(a, b) for a, b in zip(wanted, given, strict=True) if a]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None


def _matches(pattern: re.Pattern, text: str) -> Counter:
    return Counter(match.replace(",", ".") for match in pattern.findall(text))
