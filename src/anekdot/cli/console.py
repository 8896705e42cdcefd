"""The terminal as rich draws in it, without obeying what is drawn."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from anekdot.text_output import harmless, one_line


class HarmlessConsole(Console):
    """A console that reads nothing in a text: no markup, no names of emoji, no control characters.

    Args:
        settings: Those of rich's console.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yields what is drawn: rich's own control codes as they are, and harmless texts."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


console = HarmlessConsole(stderr=True, soft_wrap=True)


def say(message: str) -> None:
    """Shows one sentence, above the bars if some are drawn."""
    console.print(one_line(message))
