"""What a request may spend and why. Pure: no clock, no I/O, no randomness, no floats in money."""
