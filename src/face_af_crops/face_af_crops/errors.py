"""The one error that a user sees."""


class CropError(ValueError):
    """Something that the user can mend: one line that says what is wrong and what to do."""
