__all__ = ["one", "_three"]
one, two, _three = 1, 2, 3
