// overlap.cuh: programmatic dependent launch, in what is compiled for Hopper; nothing elsewhere.
#pragma once

// wait_for_former waits until the kernel before this one on the stream has ended, and what it wrote can be read. Every
// kernel of a chain calls it before it touches memory that another one writes: only then has all before it ended too.
__device__ __forceinline__ void wait_for_former() {
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// let_next_start lets the next kernel's blocks take what room is left on the multiprocessors; it promises nothing about
// memory. Small kernels call it first, so that blocks of the linear kernel behind fetch weights during the one ahead. Linear
// kernels call it behind their own wait: all that stands ahead of one has then ended when the next kernel starts, however
// early the small kernels between it and attention let that start, which reads the step's inputs ahead of its own wait.
__device__ __forceinline__ void let_next_start() {
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.launch_dependents;");
#endif
}
