"""What could not be done, in a sentence."""

from dreamer.errors import DreamerError


def describe_system(error: OSError) -> str:
    """Describe what the system refuses."""
    why = error.strerror or str(error)
    named = f" {error.filename}" if error.filename else ""
    return f"Cannot use{named}: {why[:1].lower()}{why[1:]}; give another name or place."


def describe_failure(name: object, error: Exception) -> str:
    """Describe what went wrong with one of many, whatever it is."""
    if isinstance(error, DreamerError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"There is not enough memory for {name}: give a smaller --size."
    why = (str(error).splitlines() or [""])[0][:200]
    return f"{name} failed ({type(error).__name__}: {why}): try it alone."
