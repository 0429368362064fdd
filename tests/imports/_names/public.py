one, two, _three = 1, 2, 3
