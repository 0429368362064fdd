import _harmless_a
value = 10
def get():
    return _harmless_a.value
