"""Texts of our own."""

SUBJECTS = ("Студент", "Профессор", "Кот", "Программист", "Сосед", "Бабушка", "Врач", "Моряк")


VERBS = ("спрашивает", "отвечает", "вздыхает", "думает", "поёт", "молчит")


THINGS = ("про экзамен", "о погоде", "про обед", "о смысле жизни", "про зарплату", "о рыбалке")


def make_texts(n: int) -> list[str]:
    """Returns n distinct small texts, some with a dialogue of two lines."""
    texts = []
    for i in range(n):
        subject, verb = SUBJECTS[i % 8], VERBS[i // 8 % 6]
        thing, other = THINGS[i // 48 % 6], SUBJECTS[(i * 5 + 3) % 8]
        answer = f"\n— Ну и что? — {other} смеётся в {i % 24} часов." if i % 3 == 0 else "."
        texts.append(f"{subject} номер {i} {verb} {thing}{answer}")
    return texts
