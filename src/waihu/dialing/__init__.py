"""The dialing core: whom to call, when, and on which trunk. Pure: no I/O, no clock, no luck of its own."""
