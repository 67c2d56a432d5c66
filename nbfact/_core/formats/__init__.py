"""Readers of files of matrices, each of which checks what it reads before it is used.

No reader hands bytes of a file to compiled code that trusts them: sizes are compared
with the length of the file before memory is taken, and indices with the shape before
they are used. What is wrong with a file is a ValueError.
"""
