"""What the words for clip skip, and numbers, look like; all of it in small letters."""

from __future__ import annotations

_CLIP = r"(?<![a-z])(?:cl?ips?|clp|cilp|klip|クリップ|클립|клип|кліп)"
_SKIP = "|".join(
    (
        r"skipp?s?(?:['’]s)?(?![a-z])|skip(?=\d)",
        r"skipp?ing(?=[\s:=]{0,3}\d)|(?:skiping|skp|ski|skil|skin|slip|s?\s?kip|sikp)(?=[\s:=]{0,4}\d)",
        r"スキップ|스킵|скип(?![а-я])|скіп(?![а-яі])|跳过层?数?|跳過層?數?|[終终中]止层?层?[数數]?",
    )
)
CLIP_SKIP = "|".join(
    (
        rf"{_CLIP}(?:[-_\s]layers?)?(?:[-_*\s]{{0,5}}|(?<=clip)(?:\s?:\s?|\.))(?:{_SKIP})",
        r"(?<![a-z])(?:clips?[-_\s]layers?[-_\s](?:to[-_\s]skip|skipped)|skip[-_ ]{0,3}clip)(?![a-z])",
        r"(?<![a-z])skip(?=\s?[:=]\s?\d\s?\(clip\))",
        r"пропуск[а-я]{0,2}\s(?:слоев\s)?(?:clip|клип)а?(?![a-zа-я])|跳过\s?clip\s?(?:层?数?)",
        r"(?<![a-z-])clip(?=\s?=\s?[12](?!\d|\.\d))",
        # A1111's option, and ComfyUI's node and its input.
        r"(?<![a-z])(?:clip[_ ])?stop[_ ]at[_ ](?:the[_ ])?(?:last[_ ]layers?|clip[_ ]layer)(?: of clip(?: model)?)?",
        r"(?<![a-z])clip[_ ]stop[_ ]at[_ ]layer",
        r"(?<![a-z])clip[_ ]?(?:set[_ ]?)?last[_ ]?layer|(?<![a-z])set (?:clip )?last (?:clip )?layer(?: of clip)?",
        r"(?<![a-z])(?:ignore |skip )?last layers? of clip(?: model)?",
        r"(?<![a-z])clip (?:stop|layers?)(?=[\s:=]{1,3}-?\d(?![\d.]))",
    )
)
# "CLIP 2" and "CS: 2" say it among other settings.
MAYBE_CLIP_SKIP = r"(?<![a-z-])(?:clip|cs)(?=\s?[:=,]|\s-\s\d|-[12](?!\d|\.\d)|\s?[12](?!\d|\.\d))"

_DECIMALS = r"\d+(?:[.:x×]\d+|,\d{1,2}(?=[a-z%]))*"
# A number with all that makes it one of another thing.
OTHER_NUMBER = "|".join(
    (
        rf"{_DECIMALS}\s?(?:px|gb|mb|mins?|secs?|%)(?![a-z])",
        rf"[$€£]?{_DECIMALS}(?:(?!or\d)[a-z$€%×]+\d*(?:-[a-z]+)?)",  # "2x", "2nd", "1girl", "4x-ultrasharp"
        r"(?<![a-z])(?:v|ver|versions?|versión|sd|sdxl|xl|flux|pony|illustrious)[. ]?\s?v?\d+(?:\.\d+)*[a-z]?",
        r"[$€£]\s?\d+(?:\.\d+)*",
        r"(?<![a-z])(?!clip|skip)[a-z]{1,10}\d[\w.]*\w",  # "a1111"
        r"\d+\.(?:png|jpe?g|webp|gif|mp4|txt|json|ya?ml|zip|ckpt|pt|safetensors)(?![a-z])",  # in a file's name
        r"\d+\s?±\s?\d+|\d{1,2}/(?:5|10)(?!\d)",  # tolerances, ratings
        r"\d+(?:[:x×]\d+)+|\d+\.\d+\.\d+|\d+[/.-]\d+[/.-]\d{2,}|\d+,\d{3}(?![\dx×])",  # sizes, times, dates, thousands
        r"(?<=#)\d+(?=\s[^\W\d])",  # "#1 beginners"
        r"(?:(?<=\n)|(?<=#)|(?<=#\s))\d{1,2}[.)](?=[^\d])",  # of a numbered list
    )
)
NUMBER = r"\d+(?:\.\d+)?"
NAMES = {"one": 1.0, "two": 2.0, "three": 3.0}
# A number's name is one only after these, and where nothing follows that it could count: "one of", "two cents".
NAME_SAID = r"(?:\A|\n|skip|to|at|of|is|or|on|as|use|[-:=(])\W{0,3}\Z"
COUNTS_NOTHING = (
    r"\s?(?:[^\w\s]|\n|\Z|(?:or|and|to|for|is|if|in|works?|with|when|always|should|as|please)(?!\w))|(?<!one) clip"
)
