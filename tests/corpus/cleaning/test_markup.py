import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.cleaning.markup import _ROUNDS, strip_markup


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("&laquo;Да&raquo; &mdash; &quot;нет&quot;", '«Да» — "нет"'),
        ("&#1044;&#x430;&#X21;", "Да!"),
        ("раз&nbsp;два", "раз\xa0два"),
        ("раз&nbsp два &laquo;три", "раз\xa0 два «три"),
        ("&#150; &#0; &#xD800; &#99999999;", "–   &#99999999;"),
        ("AT&T, R&D; Q&A", "AT&T, R&D; Q&A"),
        ("?a=1&copy=2&lt=3&unknown; &", "?a=1&copy=2&lt=3&unknown; &"),
        ("&amp;amp;lt;", "<"),
        ("&amp;#38;quot;", '"'),
        ("&#38;#38;#38;#38;#38;lt;3", "<3"),
        ("раз<br>два<br/>три<BR />четыре<br clear=all>пять", "раз\nдва\nтри\nчетыре\nпять"),
        ("<p>раз</p><p>два</p>", "раз\nдва\n"),
        ("раз<p>два<p class='x'>три", "раз\nдва\nтри"),
        ("раз<div>два</div><div>три</div>", "раз\nдва\nтри\n"),
        ("<ul><li>раз</li><li>два</li></ul>", "раз\nдва\n"),
        ("<tr><td>раз</td><td>два</td></tr>", " раз  два \n"),
        (
            "<b>раз</b>, <i style='a>b'>два</i> <a href=\"/x?a=1&b=2\" target=_blank>три</a>",
            "раз, два три",
        ),
        ("<input disabled><img src=x.png /><o:p></o:p><wbr>да", "да"),
        ("<font color='red>да</font>", "да"),
        ("раз<!-- <b>нет</b> -->два", "раздва"),
        ("<style type='text/css'>b {}</style>да<script>if (a < b) { x(); }</script >", "да"),
        ("<scr<b>ipt>раз</script>два", "раздва"),
        ("<<b>b>да", "да"),
        ("&lt;b&gt;да&lt;/b&gt;", "да"),
        ("<br><br>да", "\n\nда"),
    ],
)
def test_markup_goes(text, plain):
    assert strip_markup(text) == plain
    assert strip_markup(plain) == plain


@pytest.mark.parametrize(
    "text",
    [
        "a < b и c > d",
        "a<b и c>d",
        "x<b and c>y",
        "<вздох>",
        "<sigh>",
        "<3",
        "-->",
        "<!-- не закрыто",
        "<scripture>",
        "<b",
        "<b и так далее",
        "< b >",
        "<>",
        "</>",
        "<a.b@c.ru>",
        "<http://example.org>",
        "List<int> и Map<K, V>",
        "if (a<b && c>d)",
        "<body language>",
        "=> -> <- <=> :-> >:(",
    ],
)
def test_honest_angle_brackets_stay(text):
    assert strip_markup(text) == text


def test_layers_are_taken_off_up_to_a_limit():
    assert strip_markup("&" + "#38;" * (_ROUNDS - 2) + "lt;3 &") == "<3 &"
    assert strip_markup("&" + "#38;" * _ROUNDS + "lt;3 &") == "lt;3 "


@pytest.mark.parametrize(
    "text",
    ["<" * 5_000 + "b>" * 5_000, "&" + "#38;" * 5_000, "<!--" * 20_000, "<script>" * 10_000],
)
def test_any_depth_ends(text):
    once = strip_markup(text)
    assert strip_markup(once) == once


@given(st.text(st.sampled_from("<>&;#x3b/p!- ='\"amplt\n"), max_size=60))
def test_nothing_is_left_to_do(text):
    assert strip_markup(strip_markup(text)) == strip_markup(text)
