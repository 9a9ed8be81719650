// Package simt runs PTX on the CPU: the kernels of a module, warp by warp, for tests on machines without a GPU. It is
// slow, exact about what the manual promises and unkind about what it does not:
//
//   - Every access to memory is checked against its allocation. Shared memory starts as 0xFF bytes, NaN in every float type.
//   - A copy lands as late as its wait allows, or at a moment that the seed picks: a missing wait reads what was there before.
//   - The sums of wgmma appear at the wait that covers them, from what lies in shared memory by then.
//   - Warps and blocks take turns of random length, and blocks start in random order. The same seed gives the same run.
//   - Lanes that part at a branch meet again at the lowest of their program counters; an instruction of a whole warp waits
//     for all of it.
//   - What the kernel ahead wrote may not be touched before griddepcontrol.wait, where both may run at once.
//   - Registers that a wgmma works on may not be touched before the wait that covers it.
//   - A block may not end while something is on its way into its shared memory.
//   - A launch in which nobody can go on ends as a Fault that says where each warp stands.
//
// The matrix instructions add the 16 exact products of a step and the sum so far in float64, and round once to float32. The
// approximate functions are computed in float64 and rounded. NaN results are 0x7fffffff. mul and add are never fused.
//
// What is not played: the order of ordinary writes as other threads see them (each is seen at once), the asynchronous proxy
// (a missing fence.proxy or wgmma.fence is not found), what a dependent launch writes before the kernel ahead has read it,
// time, register limits, local memory, and calls.
package simt
