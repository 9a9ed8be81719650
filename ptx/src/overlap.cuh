// overlap.cuh: programmatic dependent launch, in what is compiled for Hopper; nothing elsewhere.
#pragma once

// wait_for_former waits until the kernel before this one on the stream has ended, and what it wrote can be read. Every
// kernel of a chain calls it before it touches memory that another one of the layer writes: only then has all before it ended too.
__device__ __forceinline__ void wait_for_former() {
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// let_next_start lets the next kernel's blocks take what room is left on the multiprocessors; it promises nothing about
// memory. Small kernels but rows.cu call it first, so that blocks of the linear kernel behind fetch weights during the one
// ahead. rope_whole and attention read the step's inputs, and decode attention the cache as former steps left it, ahead of
// their own wait: so a kernel that lets the next one start behind its own wait has to stand between what writes those and
// them. The unfused linear kernels and fused_heads do, and rows.cu where decode attention is for the last token of a prompt.
__device__ __forceinline__ void let_next_start() {
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.launch_dependents;");
#endif
}
