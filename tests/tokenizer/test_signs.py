from itertools import permutations

import pytest

from anekdot.tokenizer import Tokenizer, reference
from anekdot.tokenizer.signs import choose_pattern, count_characters
from anekdot.tokenizer.trainer import count_pretokens
from tests.support.peers import hugging_face_merges, written

HINDI = "लड़का बाज़ार में आम खा रहा था।"
RUSSIAN = "Купил ёж зонт, а дождь ушёл к соседям. "


@pytest.mark.parametrize(
    "text",
    [
        HINDI,
        "เด็กผู้ชายกำลังกินมะม่วงอยู่ที่ตลาด",
        "ເດັກຊາຍກຳລັງກິນໝາກມ່ວງ",
        "ក្មេងប្រុសកំពុងញ៉ាំស្វាយ",
        "ကောင်လေးက သရက်သီးစားနေတယ်",
        "சிறுவன் மாம்பழம் சாப்பிட்டான்",
        "ছেলেটি বাজারে আম খাচ্ছিল",
        "ക്ഷമിക്കണം, അവന് വന്നില്ല",
        "කොල්ලා අඹ කනවා",
        "שָׁלוֹם עֲלֵיכֶם",
        10 * RUSSIAN + HINDI,
    ],
)
def test_scripts_whose_vowels_are_marks_have_them_in_words(text):
    assert choose_pattern(count_characters([text])) == "qwen35"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "17!",
        RUSSIAN,
        "За́мок и замо́к, и\u0306 е\u0308, а҃ в҃і",
        "Смешно ❤️👍🏽1️⃣ ёжику",
        "Zażółć gęślą, ẹ\u0301 ọ\u0300",
        "小明问老师：为什么？",
        "ガハ\u3099 の猫",
        "او می\u200cخواهد کتاب\u200cهای تازه را بخواند.",
        "שלום עליכם",
        100 * RUSSIAN + HINDI,
    ],
)
def test_all_others_keep_the_first_pattern(text):
    assert choose_pattern(count_characters([text])) == "qwen2"


def test_training_chooses_whatever_the_order_of_the_texts():
    texts = [20 * RUSSIAN, 20 * HINDI, "да"]
    assert len({Tokenizer.train(order, 300) for order in permutations(texts)}) == 1
    assert Tokenizer.train(texts, 300).pattern == "qwen35"
    assert Tokenizer.train([text.encode() for text in texts], 300).pattern == "qwen35"
    assert Tokenizer.train(texts, 300, pattern="qwen2").pattern == "qwen2"
    assert Tokenizer.train([20 * RUSSIAN], 300).pattern == "qwen2"


def test_words_keep_their_signs_in_tokens_and_streams():
    tokenizer = Tokenizer.train([HINDI] * 3, 400)
    ids = tokenizer.encode(HINDI)
    assert len(ids) == len(reference.split(HINDI, "qwen35")) == len(HINDI.split()) + 1
    decoder = tokenizer.stream_decoder()
    assert "".join([*map(decoder.feed, ids), decoder.flush()]) == HINDI


def test_merges_equal_those_of_hugging_face():
    texts = [f"{HINDI} {n} {text}" for n, text in enumerate([RUSSIAN, "ครับ", "за́мок", "❤️"])]
    tokenizer = Tokenizer.train(texts, 420)
    assert tokenizer.pattern == "qwen35"
    assert written(list(tokenizer.merges)) == hugging_face_merges(texts, 420, "qwen35")
    assert reference.train_merges(count_pretokens(texts, "qwen35"), 420) == [*tokenizer.merges]
