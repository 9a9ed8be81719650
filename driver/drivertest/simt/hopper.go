package simt

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// hopper is what came with sm_90, but for products.
var hopper = map[string]spec{
	"mbarrier.init.shared::cta.b64": {build: mbarrierPlace, do: doInit}, "mbarrier.init.shared.b64": {build: mbarrierPlace, do: doInit},
	"mbarrier.inval.shared::cta.b64": {build: mbarrierPlace, do: doInvalidate}, "mbarrier.inval.shared.b64": {build: mbarrierPlace, do: doInvalidate},
	"mbarrier.arrive.shared::cta.b64": {build: mbarrierArrive, do: doMbarrierArrive}, "mbarrier.arrive.shared::cluster.b64": {build: mbarrierArrive, do: doMbarrierArrive},
	"mbarrier.arrive.shared.b64":                            {build: mbarrierArrive, do: doMbarrierArrive},
	"mbarrier.arrive.expect_tx.shared::cta.b64":             {build: mbarrierExpect, do: doMbarrierArrive},
	"mbarrier.arrive.expect_tx.shared::cluster.b64":         {build: mbarrierExpect, do: doMbarrierArrive},
	"mbarrier.expect_tx.relaxed.cta.shared::cta.b64":        {build: mbarrierPlace, do: doExpect},
	"mbarrier.try_wait.parity.shared::cta.b64":              {build: mbarrierWait, do: doTryWait, control: waits},
	"mbarrier.try_wait.parity.shared.b64":                   {build: mbarrierWait, do: doTryWait, control: waits},
	"mbarrier.test_wait.parity.shared::cta.b64":             {build: mbarrierWait, do: doTestWait, control: waits},
	"mbarrier.test_wait.parity.shared.b64":                  {build: mbarrierWait, do: doTestWait, control: waits},
	"mapa.shared::cluster.u32":                              {shape: "Rrr", do: doMapa},
	"setmaxnreg.inc.sync.aligned.u32":                       {build: buildCount, do: doNothing, control: aligned},
	"setmaxnreg.dec.sync.aligned.u32":                       {build: buildCount, do: doNothing, control: aligned},
	"createpolicy.fractional.L2::evict_first.b64":           {build: buildPolicy, do: doPolicy},
	"createpolicy.fractional.L2::evict_normal.b64":          {build: buildPolicy, do: doPolicy},
	"createpolicy.fractional.L2::evict_last.b64":            {build: buildPolicy, do: doPolicy},
	"createpolicy.fractional.L2::evict_unchanged.b64":       {build: buildPolicy, do: doPolicy},
	"prefetch.global.L2":                                    {build: buildIgnored, do: doNothing},
	"prefetch.tensormap":                                    {build: buildIgnored, do: doNothing},
	"cp.async.bulk.commit_group":                            {do: commitStores, shape: ""},
	"cp.async.bulk.wait_group":                              {build: buildCount, do: waitStores},
	"cp.async.bulk.wait_group.read":                         {build: buildCount, do: waitStores},
	tensorLoad + ".L2::cache_hint":                          {build: buildTensorLoad(false, true), do: doTensorLoad},
	tensorLoad:                                              {build: buildTensorLoad(false, false), do: doTensorLoad},
	tensorLoad3 + ".L2::cache_hint":                         {build: buildTensorLoad(false, true), do: doTensorLoad},
	tensorLoad + ".multicast::cluster.L2::cache_hint":       {build: buildTensorLoad(true, true), do: doTensorLoad},
	tensorLoad + ".multicast::cluster":                      {build: buildTensorLoad(true, false), do: doTensorLoad},
	"cp.async.bulk.tensor.2d.global.shared::cta.bulk_group": {build: buildTensorStore, do: doTensorStore},
	send + ".f32":    {build: buildSend, do: doSend},
	send + ".u32":    {build: buildSend, do: doSend},
	send + ".b32":    {build: buildSend, do: doSend},
	send + ".v4.f32": {build: buildSend, do: doSend},
}

const send = "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes"

const tensorLoad = "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"

const tensorLoad3 = "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes"

func buildIgnored(*decoder, *inst, *op) error { return nil }

func buildPolicy(d *decoder, in *inst, o *op) (err error) {
	o.d, err = d.target(in.operands[0], dword)
	return err
}

func doPolicy(w *warp, o *op, m uint32) {
	wides1(&w.x[o.d], &w.x[o.d], m, func(uint64) uint64 { return 0x14f0000000000000 })
}

// doMapa is the address of the same place in another block of the cluster.
func doMapa(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	for i := range d {
		if m>>i&1 == 0 {
			continue
		}
		if int(b[i]) >= len(w.block.cluster.blocks) {
			w.fault(o, i, Address, "block %d of a cluster of %d", b[i], len(w.block.cluster.blocks))
		}
		d[i] = a[i]%clusterStride + (b[i]+1)*clusterStride
	}
}

// buildSend takes "[to], value, [barrier]".
func buildSend(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 3 {
		return fmt.Errorf("has %d operands, want 3", len(in.operands))
	}
	bar := op{}
	if err = d.where(in.operands[0], o); err != nil {
		return err
	}
	if err = d.where(in.operands[2], &bar); err != nil {
		return err
	}
	if bar.wide || bar.imm != 0 {
		return fmt.Errorf("wants a 32-bit address of the barrier")
	}
	o.c = bar.a
	o.list, err = d.members("{"+strings.Trim(in.operands[1], "{}")+"}", word, false)
	return err
}

// doSend has the words of an instruction arrive together for each block that they go to.
func doSend(w *warp, o *op, m uint32) {
	to, bars := w.r[o.a], w.r[o.c]
	values := make([]vec, len(o.list))
	for j, r := range o.list {
		values[j] = w.r[r]
	}
	for left := m; left != 0; {
		lane := first(left)
		rank, mine := to[lane]/clusterStride, uint32(0)
		for i := range lanes {
			if left>>i&1 != 0 && to[i]/clusterStride == rank {
				mine |= 1 << i
			}
			if left>>i&1 != 0 && to[i]/clusterStride != bars[i]/clusterStride {
				w.fault(o, i, Instruction, "the word goes to %#x and counts at %#x, in another block", to[i], bars[i])
			}
		}
		left &^= mine
		target := w.block
		if rank > 0 {
			target = w.peer(o, lane, uint64(to[lane]))
		}
		w.block.grid.launchFlight(target, func() {
			for i := range lanes {
				if mine>>i&1 == 0 {
					continue
				}
				at := w.shared(o, i, uint64(to[i])+uint64(o.imm), 4*len(values))
				for j := range values {
					binary.LittleEndian.PutUint32(at[4*j:], values[j][i])
				}
				w.mbarrierAt(o, i, uint64(bars[i])).complete(w.block.grid, len(at))
			}
		})
	}
}
