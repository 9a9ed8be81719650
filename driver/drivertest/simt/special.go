package simt

// specials are the registers that say where a thread is.
var specials = map[string]func(w *warp, lane int) uint64{
	"%tid.x": func(w *warp, lane int) uint64 { return uint64(w.thread(lane)[0]) },
	"%tid.y": func(w *warp, lane int) uint64 { return uint64(w.thread(lane)[1]) },
	"%tid.z": func(w *warp, lane int) uint64 { return uint64(w.thread(lane)[2]) },

	"%ntid.x": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Block[0]) },
	"%ntid.y": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Block[1]) },
	"%ntid.z": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Block[2]) },

	"%ctaid.x": func(w *warp, _ int) uint64 { return uint64(w.block.at[0]) },
	"%ctaid.y": func(w *warp, _ int) uint64 { return uint64(w.block.at[1]) },
	"%ctaid.z": func(w *warp, _ int) uint64 { return uint64(w.block.at[2]) },

	"%nctaid.x": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Grid[0]) },
	"%nctaid.y": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Grid[1]) },
	"%nctaid.z": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Grid[2]) },

	"%laneid":      func(_ *warp, lane int) uint64 { return uint64(lane) },
	"%warpid":      func(w *warp, _ int) uint64 { return uint64(w.index) },
	"%lanemask_lt": func(_ *warp, lane int) uint64 { return 1<<lane - 1 },
	"%lanemask_le": func(_ *warp, lane int) uint64 { return 2<<lane - 1 },
	"%lanemask_eq": func(_ *warp, lane int) uint64 { return 1 << lane },
	"%lanemask_ge": func(_ *warp, lane int) uint64 { return all &^ (1<<lane - 1) },
	"%lanemask_gt": func(_ *warp, lane int) uint64 { return all &^ (2<<lane - 1) },

	"%cluster_ctarank":  func(w *warp, _ int) uint64 { return uint64(w.block.rank) },
	"%cluster_nctarank": func(w *warp, _ int) uint64 { return uint64(len(w.block.cluster.blocks)) },

	"%clock":             func(w *warp, _ int) uint64 { return uint64(uint32(w.block.grid.tick)) },
	"%clock64":           func(w *warp, _ int) uint64 { return uint64(w.block.grid.tick) },
	"%globaltimer":       func(w *warp, _ int) uint64 { return uint64(w.block.grid.tick) },
	"%dynamic_smem_size": func(w *warp, _ int) uint64 { return uint64(w.block.grid.launch.Shared) },
}

func moveSpecial(w *warp, o *op, m uint32) {
	d, read := &w.r[o.d], o.extra.(func(*warp, int) uint64)
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = uint32(read(w, i))
		}
	}
}

func moveSpecialWide(w *warp, o *op, m uint32) {
	d, read := &w.x[o.d], o.extra.(func(*warp, int) uint64)
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = read(w, i)
		}
	}
}
