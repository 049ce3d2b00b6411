Dear professor,

my dog ate the homework.
