import _harmless_b
value = 1
def get():
    return _harmless_b.value + value
