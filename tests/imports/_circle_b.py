from _circle_a import x
