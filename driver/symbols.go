package driver

import "strings"

// entry is one function of the library. An address of 0 means that this driver lacks it.
type entry struct {
	addr uintptr
	name string // the exported symbol, version suffix included
	lost string // what does not work without it; empty: weft cannot run
}

// entries are all calls that this package makes.
type entries struct {
	init, driverGetVersion, deviceGetCount, deviceGet, deviceGetName, deviceGetAttribute, deviceTotalMem, deviceGetUUID,
	deviceGetPCI, deviceCanAccessPeer entry
	ctxRetain, ctxRelease, ctxSetCurrent, ctxSync, ctxEnablePeer                                           entry
	memAlloc, memFree, memGetInfo, memHostAlloc, memFreeHost                                               entry
	copyHtoD, copyDtoH, copyDtoD, copyPeer, memset8, memset32                                              entry
	streamCreate, streamDestroy, streamSync, streamQuery, streamWait, streamBeginCapture, streamEndCapture entry
	eventCreate, eventDestroy, eventRecord, eventSync, eventQuery, eventElapsed                            entry
	moduleLoad, moduleUnload, moduleFunction, moduleGlobal                                                 entry
	linkCreate, linkAddData, linkComplete, linkDestroy                                                     entry
	funcGetAttribute, funcSetAttribute, occupancy, launch, launchEx, tensorMapTiled                        entry
	graphInstantiate, graphLaunch, graphUpload, graphUpdate, graphNodes, graphDestroy, graphExecDestroy    entry
}

// symbol ties an entry to its name. Lost says what is given up where a driver lacks it.
type symbol struct {
	to   *entry
	name string
	lost string
}

func (f *entries) table() []symbol {
	return []symbol{
		{&f.init, "cuInit", ""},
		{&f.driverGetVersion, "cuDriverGetVersion", ""},
		{&f.deviceGetCount, "cuDeviceGetCount", ""},
		{&f.deviceGet, "cuDeviceGet", ""},
		{&f.deviceGetName, "cuDeviceGetName", ""},
		{&f.deviceGetAttribute, "cuDeviceGetAttribute", ""},
		{&f.deviceTotalMem, "cuDeviceTotalMem_v2", ""},
		{&f.deviceGetUUID, "cuDeviceGetUuid_v2", "GPUs are named by index only"},
		{&f.deviceGetPCI, "cuDeviceGetPCIBusId", "NVML figures cannot be matched to a GPU"},
		{&f.deviceCanAccessPeer, "cuDeviceCanAccessPeer", "GPUs exchange data through host memory"},

		{&f.ctxRetain, "cuDevicePrimaryCtxRetain", ""},
		{&f.ctxRelease, "cuDevicePrimaryCtxRelease_v2", ""},
		{&f.ctxSetCurrent, "cuCtxSetCurrent", ""},
		{&f.ctxSync, "cuCtxSynchronize", ""},
		{&f.ctxEnablePeer, "cuCtxEnablePeerAccess", "GPUs exchange data through host memory"},

		{&f.memAlloc, "cuMemAlloc_v2", ""},
		{&f.memFree, "cuMemFree_v2", ""},
		{&f.memGetInfo, "cuMemGetInfo_v2", ""},
		{&f.memHostAlloc, "cuMemHostAlloc", ""},
		{&f.memFreeHost, "cuMemFreeHost", ""},
		{&f.copyHtoD, "cuMemcpyHtoDAsync_v2", ""},
		{&f.copyDtoH, "cuMemcpyDtoHAsync_v2", ""},
		{&f.copyDtoD, "cuMemcpyDtoDAsync_v2", ""},
		{&f.copyPeer, "cuMemcpyPeerAsync", "GPUs exchange data through host memory"},
		{&f.memset8, "cuMemsetD8Async", ""},
		{&f.memset32, "cuMemsetD32Async", ""},

		{&f.streamCreate, "cuStreamCreate", ""},
		{&f.streamDestroy, "cuStreamDestroy_v2", ""},
		{&f.streamSync, "cuStreamSynchronize", ""},
		{&f.streamQuery, "cuStreamQuery", ""},
		{&f.streamWait, "cuStreamWaitEvent", ""},
		{&f.streamBeginCapture, "cuStreamBeginCapture_v2", ""},
		{&f.streamEndCapture, "cuStreamEndCapture", ""},
		{&f.eventCreate, "cuEventCreate", ""},
		{&f.eventDestroy, "cuEventDestroy_v2", ""},
		{&f.eventRecord, "cuEventRecord", ""},
		{&f.eventSync, "cuEventSynchronize", ""},
		{&f.eventQuery, "cuEventQuery", ""},
		{&f.eventElapsed, "cuEventElapsedTime", ""},

		{&f.moduleLoad, "cuModuleLoadDataEx", ""},
		{&f.moduleUnload, "cuModuleUnload", ""},
		{&f.moduleFunction, "cuModuleGetFunction", ""},
		{&f.moduleGlobal, "cuModuleGetGlobal_v2", ""},
		{&f.linkCreate, "cuLinkCreate_v2", "compiled kernels cannot be cached on disk"},
		{&f.linkAddData, "cuLinkAddData_v2", "compiled kernels cannot be cached on disk"},
		{&f.linkComplete, "cuLinkComplete", "compiled kernels cannot be cached on disk"},
		{&f.linkDestroy, "cuLinkDestroy", "compiled kernels cannot be cached on disk"},
		{&f.funcGetAttribute, "cuFuncGetAttribute", ""},
		{&f.funcSetAttribute, "cuFuncSetAttribute", ""},
		{&f.occupancy, "cuOccupancyMaxActiveBlocksPerMultiprocessor", ""},
		{&f.launch, "cuLaunchKernel", ""},
		{&f.launchEx, "cuLaunchKernelEx", "no clusters and no overlapped launches: kernels for sm_90 stay unused"},
		{&f.tensorMapTiled, "cuTensorMapEncodeTiled", "no TMA copies: kernels for sm_90 stay unused"},

		{&f.graphInstantiate, "cuGraphInstantiateWithFlags", ""},
		{&f.graphLaunch, "cuGraphLaunch", ""},
		{&f.graphUpload, "cuGraphUpload", "the first launch of each graph is slower"},
		{&f.graphUpdate, "cuGraphExecUpdate_v2", "changed graphs are instantiated anew"},
		{&f.graphNodes, "cuGraphGetNodes", ""},
		{&f.graphDestroy, "cuGraphDestroy", ""},
		{&f.graphExecDestroy, "cuGraphExecDestroy", ""},
	}
}

// resolve fills the table and returns the names of required symbols that are not there.
func (f *entries) resolve(lookup func(string) uintptr) (missing []string) {
	for _, s := range f.table() {
		*s.to = entry{lookup(s.name), s.name, s.lost}
		if s.to.addr == 0 && s.lost == "" {
			missing = append(missing, s.name)
		}
	}
	return missing
}

// call is the name in NVIDIA's manual: the symbol without its version suffix.
func (e *entry) call() string {
	base, _, _ := strings.Cut(e.name, "_v")
	return base
}

// fail is nil for Success, else an *Error with what was asked, or what is lost where the driver lacks the symbol.
func (e *entry) fail(r Result, detail string) error {
	if r == Success {
		return nil
	}
	if e.addr == 0 {
		detail = "this driver does not have it: " + e.lost
	}
	return &Error{e.call(), r, detail}
}
