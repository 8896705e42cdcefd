"""``python -m anekdot`` is the command ``anekdot``."""

from anekdot.cli import main

main()
