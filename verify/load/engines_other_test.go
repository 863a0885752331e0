package load

func engines() []Engine { return []Engine{Portable()} }
