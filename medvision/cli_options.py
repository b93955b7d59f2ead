"""What the verbs share: examples in their help, and options that would do nothing."""

from __future__ import annotations

from medvision.errors import MedvisionError

_OF_SEVERAL = {"is": "are", "does": "do", "needs": "need"}


def examples(*commands: str) -> str:
    """Return the epilogue of a verb's help: commands that work."""
    return "\n\n".join(["Examples:", *commands])


def refuse_given(why: str, **options: object) -> None:
    """Refuse options that would do nothing here.

    Args:
        why: What is wrong with one of them, from the verb on.
        options: What was given; None and False stand for nothing.

    Raises:
        MedvisionError: Names every option that was given.

    Example:
        >>> refuse_given("is said of masks", labels=None, lesions=False)
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name, value in options.items()
        if value is not None and value is not False
    ]
    if not given:
        return
    verb, _, rest = why.partition(" ")
    if len(given) > 1:
        verb = _OF_SEVERAL[verb]
    raise MedvisionError(f"{' and '.join(given)} {verb} {rest}")
