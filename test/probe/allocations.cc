// Makes allocations of the addon fail, in the test build: the linker sends every operator new here (CMakeLists.txt).
#include <napi.h>
#include <atomic>
#include <new>

namespace {
std::atomic<int> left{0};  // the allocation that fails, counted down to 1; 0: none does
bool fails() {
  int n = left;
  while (n > 0)
    if (left.compare_exchange_weak(n, n - 1)) return n == 1;
  return false;
}
}
extern "C" {
void* __real__Znwm(size_t);
void* __real__Znam(size_t);
void* __real__ZnamSt11align_val_t(size_t, std::align_val_t);
void* __wrap__Znwm(size_t bytes) {
  if (fails()) throw std::bad_alloc();
  return __real__Znwm(bytes);
}
void* __wrap__Znam(size_t bytes) {
  if (fails()) throw std::bad_alloc();
  return __real__Znam(bytes);
}
void* __wrap__ZnamSt11align_val_t(size_t bytes, std::align_val_t line) {
  if (fails()) throw std::bad_alloc();
  return __real__ZnamSt11align_val_t(bytes, line);
}
}

/// failAllocation(n): the nth from now on throws, 0: none. Returns what was left of the last n: 0, it was reached.
void defineAllocations(Napi::Env env, Napi::Object exports) {
  const auto failAllocation = [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), left.exchange(info[0].As<Napi::Number>()));
  };
  exports.Set("failAllocation", Napi::Function::New(env, failAllocation, "failAllocation"));
}
