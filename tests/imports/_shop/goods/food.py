from ..prices import PRICES
from ... import nowhere
