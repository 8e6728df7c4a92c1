// Loads an empty UniFFI library, and calls its one function.
_ = echo(text: "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4")
