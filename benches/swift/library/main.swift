// Loads the library, and calls its first function.
_ = try decodeLnurl(text: "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4")
