# tries: to answer before it is asked, with replies of the right form
# stopped by: protocol; the numbers are compared
# starts as: nothing
# loses: everything
# holds at: A B C D E
say(frame("loaded"))
after = [[name, [[1], bytes(8)]] for name in ("U", "W", "V", "b_h", "b_y", "x", "y", "h", "y_hat")]
for size in ((3, 3), (3, 2), (4, 3)):
    value = ["float64", [list(size), bytes(8 * size[0] * size[1])]]
    for _ in range(30):
        say(frame("returned", [value], after))
