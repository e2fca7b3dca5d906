"""The one kind of error that is the user's to mend."""


class UserError(Exception):
    """Say in one sentence what is wrong, where, with which value, and the way out.

    The command line prints the sentence and ends with status 2. Anything else that is raised is our own
    mistake and keeps its traceback.
    """
