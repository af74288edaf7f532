"""The one exception that reaches users as a single line instead of a traceback."""


class BabeletError(Exception):
    """Something the user can mend: a bad file, a bad setting, a missing resource.

    The message is one line that says what was expected, what was received, what
    follows from it, and what to do. Entry points print it and exit with status 2.
    """

    def __init__(
        self,
        problem: str,
        *,
        expected: str = "",
        received: str = "",
        consequence: str = "",
        remedy: str,
    ) -> None:
        parts = [problem.rstrip(".")]
        if expected:
            parts.append(f"Expected: {expected.rstrip('.')}")
        if received:
            parts.append(f"Received: {received.rstrip('.')}")
        if consequence:
            parts.append(consequence.rstrip("."))
        parts.append(f"Remedy: {remedy.rstrip('.')}")
        super().__init__(". ".join(" ".join(part.split()) for part in parts) + ".")
