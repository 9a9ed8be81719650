package cpu

// spin is one PAUSE: about 40 to 140 cycles in which the other thread of the core has it to itself.
func spin()
