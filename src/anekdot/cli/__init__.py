"""The command line: one file a verb; each parses, calls one function, prints."""

import re
import signal
import sys
from itertools import pairwise

from cyclopts import App, CycloptsError

from anekdot import __version__
from anekdot.cli.streams import let_go, open_streams
from anekdot.errors import AnekdotError, is_out_of_memory
from anekdot.signals import handle_termination, ignore_stopping
from anekdot.text_output import one_line

app = App(
    name="anekdot",
    help="Grow a small language model out of your own pile of short texts.",
    version=f"anekdot {__version__}",
    suppress_keyboard_interrupt=False,  # main answers it
)
# named by strings, so that a verb is imported only when it is called
for verb, (summary, *examples) in {
    "generate": (
        "Generate whole texts that begin with a prompt.",
        'anekdot generate "Студент" -n 3 --seed 1',
        'anekdot generate "Приходит программист" --model my-model --temperature 0.6',
    ),
    "prepare": (
        "Turn texts into a folder that a model can be trained on.",
        "anekdot prepare jokes.txt --out prepared",
        'anekdot prepare "texts/*.csv" --column joke --no-obscene --out prepared',
    ),
    "forecast": (
        "Show what training each preset on a prepared folder would take.",
        "anekdot forecast prepared",
        "anekdot forecast prepared --seconds 30",
    ),
    "train": (
        "Train a model on texts, or go on with a run that was stopped.",
        "anekdot train jokes.txt --out my-model",
        "anekdot train jokes.txt --from pretrained --out my-style",
    ),
    "evaluate": (
        "Measure a model on held-out texts.",
        "anekdot evaluate my-model",
        "anekdot evaluate my-model --texts other-jokes.txt --json",
    ),
    "curves": (
        "Draw loss, perplexity, bits per byte and learning rate of training runs.",
        "anekdot curves my-model",
        "anekdot curves my-model my-style --out both.svg",
    ),
    "export": (
        "Write a model in the format of another program.",
        "anekdot export my-model --to gguf --out my-model.gguf --dtype q8_0",
        "anekdot export my-model --to bundle --out my-model.zip",
    ),
    "info": ("Show versions, what is installed, and the pretrained model.",),
}.items():
    epilogue = "\n\n".join(("Examples:", *examples)) if examples else None
    app.command(
        f"anekdot.cli.{verb}:{verb}",
        name=verb,
        help=summary,
        help_epilogue=epilogue,
    )
app.command(
    "anekdot.cli.importing:importing",
    name="import",
    help="Make a model's folder of a GGUF file or a Transformers folder.",
    help_epilogue="Examples:\n\nanekdot import my-model.gguf --out my-model-again",
)
app.command(
    "anekdot.cli.tokenizer:app",
    name="tokenizer",
    help="Train a tokenizer, or look at what one does.",
)


def main() -> None:
    """Runs a command; a user's mistake is one message and exit status 2."""
    handle_termination()
    open_streams()
    try:
        app(protect_leading_hyphens(sys.argv[1:]), exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        _fail(str(error), "anekdot --help shows the commands, anekdot COMMAND --help the flags.")
    except AnekdotError as error:
        _fail(str(error))
    except BrokenPipeError:  # the reader of our output has gone: nothing more to say
        pass
    except OSError as error:
        reason = error.strerror or str(error)
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{reason}. Check that it can be read or written and that there is space.")
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        _fail("There is not enough memory. Take a smaller model, shorter texts or smaller batches.")
    except KeyboardInterrupt as stop:
        ignore_stopping()
        print("\nStopped.", file=sys.stderr)
        sys.exit(128 + getattr(stop, "number", signal.SIGINT))
    finally:
        let_go(sys.stdout)


TEXT = re.compile(r"-(?![A-Za-z0-9-])|-[^=]*\s|-+[^\x00-\x7f]")


def protect_leading_hyphens(arguments: list[str]) -> list[str]:
    """Moves texts that begin with a hyphen, and - itself, behind -- so that they are no flags.

    Half of all anecdotes begin with a hyphen. A flag goes on with a Latin letter, a digit or
    a second hyphen, and has no space before its value.

    >>> protect_leading_hyphens(["generate", "- Доктор, я умру?", "-n", "3"])
    ['generate', '-n', '3', '--', '- Доктор, я умру?']
    """
    if "--" in arguments:
        return arguments
    flags: list[str] = []
    texts: list[str] = []
    for before, argument in pairwise(["", *arguments]):
        is_text = TEXT.match(argument) and before != "--texts"
        (texts if is_text else flags).append(argument)
    return [*flags, "--", *texts] if texts else flags


def _fail(message: str, *hints: str) -> None:
    print(one_line(f"anekdot: {message}"), *hints, sep="\n", file=sys.stderr)
    sys.exit(2)
