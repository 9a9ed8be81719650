package driver_test

// addPTX is z[i] = x[i] + y[i] for i < n, a variable, a kernel without parameters, and one that stores to any address.
const addPTX = `
.version 7.0
.target sm_80
.address_size 64

.visible .global .align 4 .u32 answer = 42;

.visible .entry vadd(.param .u64 px, .param .u64 py, .param .u64 pz, .param .u32 pn)
{
	.reg .pred %p<2>;
	.reg .b32 %r<6>;
	.reg .f32 %f<4>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [px];
	ld.param.u64 %rd2, [py];
	ld.param.u64 %rd3, [pz];
	ld.param.u32 %r1, [pn];
	mov.u32 %r2, %ctaid.x;
	mov.u32 %r3, %ntid.x;
	mov.u32 %r4, %tid.x;
	mad.lo.s32 %r5, %r2, %r3, %r4;
	setp.ge.u32 %p1, %r5, %r1;
	@%p1 bra DONE;
	mul.wide.u32 %rd4, %r5, 4;
	add.s64 %rd5, %rd1, %rd4;
	add.s64 %rd6, %rd2, %rd4;
	add.s64 %rd7, %rd3, %rd4;
	ld.global.f32 %f1, [%rd5];
	ld.global.f32 %f2, [%rd6];
	add.f32 %f3, %f1, %f2;
	st.global.f32 [%rd7], %f3;
DONE:
	ret;
}

.visible .entry nothing()
{
	ret;
}

.visible .entry poke(.param .u64 p)
{
	.reg .b64 %rd<2>;
	.reg .b32 %r<2>;
	ld.param.u64 %rd1, [p];
	mov.u32 %r1, 1;
	st.global.u32 [%rd1], %r1;
	ret;
}
`

// clusterPTX stores the number of blocks in the cluster, once the kernel ahead has ended.
const clusterPTX = `
.version 7.8
.target sm_90
.address_size 64

.visible .entry width(.param .u64 p)
{
	.reg .b64 %rd<2>;
	.reg .b32 %r<2>;
	griddepcontrol.wait;
	ld.param.u64 %rd1, [p];
	mov.u32 %r1, %cluster_nctaid.x;
	st.global.u32 [%rd1], %r1;
	griddepcontrol.launch_dependents;
	ret;
}
`

// alignedPTX stores the last word of a parameter that is aligned as a TensorMap is, and the parameter behind it.
const alignedPTX = `
.version 7.0
.target sm_80
.address_size 64

.visible .entry aligned(.param .align 64 .b8 q[128], .param .u64 p, .param .u32 v)
{
	.reg .b64 %rd<2>;
	.reg .b32 %r<3>;
	ld.param.u64 %rd1, [p];
	ld.param.u32 %r1, [q+124];
	ld.param.u32 %r2, [v];
	st.global.u32 [%rd1], %r1;
	st.global.u32 [%rd1+4], %r2;
	ret;
}
`
