from .. import count
from ..prices import PRICES
tea = PRICES["tea"] * count
