print("loading", __name__)
from . import prices
from .prices import PRICES as prices_by_item
__all__ = ["prices", "goods", "count"]
count = 2
