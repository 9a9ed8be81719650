"""Test strings for compare.py: prose, code, many scripts, emoji, control characters, and seeded fuzz."""
import random

SCRIPTS = {
    "english": "It's a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife. They'LL say \"we've DON'T\" -- O'Brien's 3rd try, 12,345.67%!",
    "german": "Die Straße über den Fluß führt nach Österreich; größer als 1000 Äpfel. Übrigens, ẞ ist groß.",
    "french": "L'été où j'ai lu « Le Cœur » à l'hôtel, garçon naïf, déjà-vu... c’est ça!",
    "polish": "Zażółć gęślą jaźń, 123 zł.", "turkish": "İstanbul'da ılık bir gün, ŞĞÜÖÇ ığıİI.",
    "vietnamese": "Tiếng Việt có nhiều dấu: ằ ẳ ẵ ặ, đường phố Hà Nội.",
    "russian": "Съешь же ещё этих мягких французских булок, да выпей чаю. Ёлка №5",
    "greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Ὀδυσσεύς σσς ΣΑΣ",
    "hebrew": "שָׁלוֹם עולם, מה שלומך היום? ״ציטוט״", "arabic": "مرحبا بالعالم، كيف حالك اليوم؟ ١٢٣٤٥ لَا إِلَٰهَ",
    "persian": "می‌خواهم نیم‌فاصله بنویسم ۱۲۳", "urdu": "اردو زبان میں لکھا گیا متن",
    "hindi": "नमस्ते दुनिया, क्या हाल है? १२३ क्षत्रिय ज्ञान", "bengali": "বাংলা ভাষায় লেখা ১২৩ ক্ষ", "tamil": "தமிழ் மொழி ௧௨௩ கொ",
    "telugu": "తెలుగు భాష ౧౨౩", "thai": "ภาษาไทยไม่มีช่องว่างระหว่างคำ ๑๒๓", "lao": "ພາສາລາວ", "khmer": "ភាសាខ្មែរ ១២៣",
    "burmese": "မြန်မာဘာသာ", "georgian": "ქართული ენა ᲥᲐᲠᲗᲣᲚᲘ", "armenian": "Հայոց լեզու և", "amharic": "አማርኛ ፩፪፫",
    "chinese": "今天天气很好，我们去公园吧！第123章：你好、世界。㐀㐁𠀀𠀁", "japanese": "吾輩は猫である。名前はまだ無い。カタカナ・ひらがなー々〆ヶ ﾊﾝｶｸ",
    "korean": "안녕하세요 세계! 한국어 가각간 ㄱㄴㄷ 각", "mongolian": "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ", "tibetan": "བོད་སྐད་ ༡༢༣", "cherokee": "ᏣᎳᎩ ꮳꮃꭹ",
    "emoji": "😀😃👍🏽👨‍👩‍👧‍👦🏳️‍🌈🇩🇪🇯🇵❤️‍🔥 1️⃣ ©️ ™ 🫠🪿 ☃︎",
    "math": "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β, ½ ⅓ x² Ⅷ ⅷ ①② 𝐀𝒷𝔠 ﷽ ﬁﬂ ㎏ ℌ",
    "symbols": "€£¥₿ §¶†‡•…‰′″‹›«»„“”‚‘’–—―‑­​‌‍⁠﻿",
}
CODE = [
    "def f(x):\n\treturn {k: v for k, v in x.items() if v != None}  # don't\n\n\n    pass\r\n",
    "#include <stdio.h>\nint main(void)\n{\n    for (int i=0;i<10;++i) printf(\"%d\\n\", i*0x1F);\n    return 0;\n}\n",
    "SELECT * FROM users WHERE id IN (1, 22, 333, 4444, 55555) -- comment\n  AND name LIKE '%O''Brien%';",
    "<div class=\"a b-c\" style='x:1px'>&nbsp;<!-- hi --></div>\r\n\r\n<|im_start|>user\n",
    "{\"a\": [1, 2.5e-10, null, true], \"ключ\": \"\\u00e9\\n\"}\n", "    \t  \t\n \n  \n\n\r\n \r \t x", "$x=~s/^\\s+|\\s+$//g;@{[map{$_*2}1..10]}",
    "https://example.com/path?q=a%20b&lang=de#frag user@host.example +1 (555) 123-4567 2024-01-31T23:59:59Z",
]
PIECES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2028", "\u0085", "\v", "'s", "'S", "'ſ", "'re", "'LL", "’s", "'", "d", "a", "A", "é", "e\u0301",
          "\u0301", "\u0327", "1", "12", "123", "1234", "٣", "Ⅷ", "½", "²", "日", "本", "か", "カ", "ー", "각", "각", "ä", "Ä", "ß", "ſ", "K", "Å", "ﬁ", "İ", "ı", "Σ", "ς", ".", ",", "!", "?", "-", "_", "/",
          "//", "\\", "(", ")", "[", "]", "{", "}", "<", ">", "<|", "|>", "\"", "`", "~", "@", "#", "$", "%", "^", "&", "*", "+", "=", "|", "▁", "▁▁", "Ġ", "Ċ", "😀", "👍🏽", "\u200d", "\u200b", "\ufe0f", "\ufeff",
          "\u0000", "\u0001", "\u007f", "\u00ad", "\ufffd", "\U000e0041", "\ue000", "\U0010ffff", "क्ष", "ि", "ก", "ำ", "ا", "ل", "ً", "ʼ", "ǅ", "ʰ", "ª", "º", "the", "The", " the", " The", "ing", "camelCaseWord", "HTTPServer", "don't", "<0x0A>", "<0xE6>", "##ing",
          ". ", " .", " n't", " 'm", " do not", "\u0378", "\U00011935\U00011930", "\U000105d2\u0307", "\U00016d63\U00016d67"]


def fuzz(rng, tokens, special):
    """One random string."""
    kind = rng.randrange(10)
    n = rng.choice([1, 2, 3, 5, 8, 13, 21, 40])
    if kind < 3:
        return "".join(rng.choice(PIECES) for _ in range(n))
    if kind == 3:
        return "".join(code_point(rng) for _ in range(n))
    if kind == 4:
        return bytes(rng.randrange(256) for _ in range(n)).decode("utf-8", "replace")
    if kind == 5:
        return "".join(rng.choice(tokens) for _ in range(n))
    if kind == 6:
        return "".join(rng.choice([rng.choice(special), rng.choice(PIECES), rng.choice([" ", "\n", "", "x"])]) for _ in range(n))
    if kind == 7:
        a = rng.choice(list(SCRIPTS.values()))
        b = rng.choice(list(SCRIPTS.values()) + CODE)
        i, j = rng.randrange(len(a)), rng.randrange(len(b))
        return a[i:i + n * 3] + rng.choice(PIECES) + b[j:j + n * 3]
    if kind == 8:
        return rng.choice(PIECES) * rng.choice([2, 3, 7, 16, 33, 70]) + rng.choice(PIECES)
    return "".join(chr(rng.randrange(0x20, 0x7f)) for _ in range(n))


def code_point(rng):
    """A random character, the denser planes more often."""
    while True:
        c = rng.choice([rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x10000), rng.randrange(0x10000, 0x20000), rng.randrange(0x110000)])
        if not 0xd800 <= c < 0xe000:
            return chr(c)


def corpus(seed, count, tokens, special):
    """All fixed strings, long ones of both kinds, and count random ones."""
    rng = random.Random(seed)
    out = ["", " ", "\n", "a"] + list(SCRIPTS.values()) + CODE + PIECES + special[:500]
    out.append("\n".join(SCRIPTS.values()) * 20)
    out.append("\n".join(CODE) * 50)
    out += [p * 3000 for p in ("a", "ab", "😀", " ", "\n", "=", "日本", "x ", "1")]
    out += ["".join(rng.choice("abcdefghijklmnopqrstuvwxyzäöü") for _ in range(5000)), "".join(code_point(rng) for _ in range(3000))]
    out += [fuzz(rng, tokens, special) for _ in range(count)]
    return out
