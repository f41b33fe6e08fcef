// Tells ThreadSanitizer what it can not see: that handing a tag to gRPC happens before the queue
// returns it, and handing it a slice before it lets go of that, since Debian's libgrpc is not
// instrumented. Nothing in other builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace userservice {

#if defined(__SANITIZE_THREAD__)
inline void TsanAcquire(void* address) { __tsan_acquire(address); }
inline void TsanRelease(void* address) { __tsan_release(address); }
#else
inline void TsanAcquire(void*) {}
inline void TsanRelease(void*) {}
#endif

}  // namespace userservice
