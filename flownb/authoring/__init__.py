"""For the author of a notebook, in the kernel of the notebook being written: the magic ``%flownb``, completion."""
