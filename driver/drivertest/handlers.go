package drivertest

import "github.com/weft-llm/weft/driver"

// where says what a call needs.
type where int

const (
	anywhere  where = iota
	inContext       // a current, healthy context
)

// handler plays one call.
type handler struct {
	do    func(*Fake, args) driver.Result
	where where
	fails func(*Fake, args) driver.Result // what happens even when the call is to fail; nil: nothing
}

// giveBack is a call that has done its part even when it is to fail: who frees once need not free again.
func giveBack(do func(*Fake, args) driver.Result, w where) handler { return handler{do, w, do} }

// handlers has every symbol that package driver knows; a test compares the two.
var handlers = map[string]handler{
	"cuInit":                {do: (*Fake).cuInit},
	"cuDriverGetVersion":    {do: (*Fake).driverGetVersion},
	"cuDeviceGetCount":      {do: (*Fake).deviceGetCount},
	"cuDeviceGet":           {do: (*Fake).deviceGet},
	"cuDeviceGetName":       {do: (*Fake).deviceGetName},
	"cuDeviceGetAttribute":  {do: (*Fake).deviceGetAttribute},
	"cuDeviceTotalMem_v2":   {do: (*Fake).deviceTotalMem},
	"cuDeviceGetUuid_v2":    {do: (*Fake).deviceGetUUID},
	"cuDeviceGetPCIBusId":   {do: (*Fake).deviceGetPCI},
	"cuDeviceCanAccessPeer": {do: (*Fake).deviceCanAccessPeer},

	"cuDevicePrimaryCtxRetain":     {do: (*Fake).ctxRetain},
	"cuDevicePrimaryCtxRelease_v2": giveBack((*Fake).ctxRelease, anywhere),
	"cuCtxSetCurrent":              {do: (*Fake).ctxSetCurrent},
	"cuCtxSynchronize":             {do: (*Fake).ctxSync, where: inContext},
	"cuCtxEnablePeerAccess":        {do: (*Fake).ctxEnablePeer, where: inContext},

	"cuMemAlloc_v2":        {do: (*Fake).memAlloc, where: inContext},
	"cuMemFree_v2":         giveBack((*Fake).memFree, inContext),
	"cuMemGetInfo_v2":      {do: (*Fake).memGetInfo, where: inContext},
	"cuMemHostAlloc":       {do: (*Fake).memHostAlloc, where: inContext},
	"cuMemFreeHost":        giveBack((*Fake).memFreeHost, inContext),
	"cuMemcpyHtoDAsync_v2": {do: (*Fake).copyHtoD, where: inContext},
	"cuMemcpyDtoHAsync_v2": {do: (*Fake).copyDtoH, where: inContext},
	"cuMemcpyDtoDAsync_v2": {do: (*Fake).copyDtoD, where: inContext},
	"cuMemcpyPeerAsync":    {do: (*Fake).copyPeer, where: inContext},
	"cuMemsetD8Async":      {do: (*Fake).memset8, where: inContext},
	"cuMemsetD32Async":     {do: (*Fake).memset32, where: inContext},

	"cuStreamCreate":          {do: (*Fake).streamCreate, where: inContext},
	"cuStreamDestroy_v2":      giveBack((*Fake).streamDestroy, inContext),
	"cuStreamSynchronize":     {do: (*Fake).streamSync, where: inContext},
	"cuStreamQuery":           {do: (*Fake).streamQuery, where: inContext},
	"cuStreamWaitEvent":       {do: (*Fake).streamWait, where: inContext},
	"cuStreamBeginCapture_v2": {do: (*Fake).streamBeginCapture, where: inContext},
	"cuStreamEndCapture":      {do: (*Fake).streamEndCapture, where: inContext, fails: (*Fake).abandonCapture},
	"cuEventCreate":           {do: (*Fake).eventCreate, where: inContext},
	"cuEventDestroy_v2":       giveBack((*Fake).eventDestroy, inContext),
	"cuEventRecord":           {do: (*Fake).eventRecord, where: inContext},
	"cuEventSynchronize":      {do: (*Fake).eventSync, where: inContext},
	"cuEventQuery":            {do: (*Fake).eventQuery, where: inContext},
	"cuEventElapsedTime":      {do: (*Fake).eventElapsed, where: inContext},

	"cuModuleLoadDataEx":   {do: (*Fake).moduleLoad, where: inContext},
	"cuModuleUnload":       giveBack((*Fake).moduleUnload, inContext),
	"cuModuleGetFunction":  {do: (*Fake).moduleFunction, where: inContext},
	"cuModuleGetGlobal_v2": {do: (*Fake).moduleGlobal, where: inContext},
	"cuLinkCreate_v2":      {do: (*Fake).linkCreate, where: inContext},
	"cuLinkAddData_v2":     {do: (*Fake).linkAddData, where: inContext},
	"cuLinkComplete":       {do: (*Fake).linkComplete, where: inContext},
	"cuLinkDestroy":        giveBack((*Fake).linkDestroy, inContext),

	"cuFuncGetAttribute":                          {do: (*Fake).funcGetAttribute, where: inContext},
	"cuFuncSetAttribute":                          {do: (*Fake).funcSetAttribute, where: inContext},
	"cuOccupancyMaxActiveBlocksPerMultiprocessor": {do: (*Fake).occupancy, where: inContext},
	"cuLaunchKernel":                              {do: (*Fake).launchKernel, where: inContext},
	"cuLaunchKernelEx":                            {do: (*Fake).launchKernelEx, where: inContext},
	"cuTensorMapEncodeTiled":                      {do: (*Fake).tensorMapTiled},
	"cuGraphInstantiateWithFlags":                 {do: (*Fake).graphInstantiate, where: inContext},
	"cuGraphLaunch":                               {do: (*Fake).graphLaunch, where: inContext},
	"cuGraphUpload":                               {do: (*Fake).graphUpload, where: inContext},
	"cuGraphExecUpdate_v2":                        {do: (*Fake).graphUpdate, where: inContext},
	"cuGraphGetNodes":                             {do: (*Fake).graphNodes, where: inContext},
	"cuGraphDestroy":                              giveBack((*Fake).graphDestroy, inContext),
	"cuGraphExecDestroy":                          giveBack((*Fake).graphExecDestroy, inContext),
}
