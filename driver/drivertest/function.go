package drivertest

import "github.com/weft-llm/weft/driver"

func (f *Fake) funcGetAttribute(a args) driver.Result {
	fn := get[function](f, a[2])
	if fn == nil {
		return driver.InvalidHandle
	}
	arch := 10*f.cfg.Major + f.cfg.Minor
	known := map[driver.FuncAttribute]int{driver.FuncMaxThreads: maxThreads, driver.FuncRegisters: 32,
		driver.FuncPTXVersion: arch, driver.FuncBinary: arch, driver.FuncMaxShared: fn.maxShared}
	put(a[0], int32(known[driver.FuncAttribute(a[1])]))
	return driver.Success
}

func (f *Fake) funcSetAttribute(a args) driver.Result {
	fn := get[function](f, a[0])
	if fn == nil {
		return driver.InvalidHandle
	}
	switch driver.FuncAttribute(a[1]) {
	case driver.FuncMaxShared:
		if a[2] > sharedOptin {
			return driver.InvalidValue
		}
		fn.maxShared = max(sharedPerBlock, int(a[2]))
	case driver.FuncCarveout, driver.FuncNonPortableCluster:
	default:
		return driver.InvalidValue
	}
	return driver.Success
}

// occupancy counts threads and shared memory; registers are not played.
func (f *Fake) occupancy(a args) driver.Result {
	if get[function](f, a[1]) == nil {
		return driver.InvalidHandle
	}
	threads, shared := int(a[2]), int(a[3])
	if threads < 1 || threads > maxThreads {
		return driver.InvalidValue
	}
	blocks := min(threadsPerSM/threads, 32)
	if shared > 0 {
		blocks = min(blocks, sharedPerSM/(shared+1024)) // the system keeps 1 KiB a block
	}
	put(a[0], int32(blocks))
	return driver.Success
}
