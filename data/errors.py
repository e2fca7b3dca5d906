"""The one kind of error that is the user's to mend, and how names of others look in a sentence."""


class UserError(Exception):
    """Say in one sentence what is wrong, where, with which value, and the way out.

    The command line prints the sentence and ends with status 2. Anything else that is raised is our own
    mistake and keeps its traceback.
    """


def printable(text: str) -> str:
    r"""Return text for a terminal: line breaks, escapes, marks that turn it round and their like are spelled out.

    >>> printable("a\nb")
    'a\\nb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
