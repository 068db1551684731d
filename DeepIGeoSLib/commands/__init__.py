"""The commands of ``deepigeos``, one module each.

A command module has a docstring whose first line is its help text, and three functions:
``add_arguments(parser)``, ``run(arguments, progress) -> dict`` and ``text(result) -> str``.
"""
