print("loading", __name__, "of", __package__)
PRICES = {"tea": 2, "cake": 4}
