// `driver CALLS RESULTS` runs calls at the levels it was linked with, without JavaScript. Twin: driver.ts
// A call is a line of words, the fields of Call (src/bind/plan.ts), followed by the bytes of the caller's arrays. A
// result is INFO, a double, followed by the bytes of the arrays the call writes.
#include <fstream>
#include <stdexcept>
#include <string>
#include "contract.h"
#include "job.h"

#define DECLARE(isa, runs) \
  namespace isa { \
  extern const Kernel kernels[]; \
  }
EACH_LEVEL(DECLARE)

namespace {
Kernel find(const std::string& level, const std::string& kernel) {
#define LOOK(isa, runs) \
  if (level == #isa) \
    for (const Kernel* k = isa::kernels; k->name; k++) \
      if (kernel == k->name) return *k;
  EACH_LEVEL(LOOK)
  throw std::runtime_error("no kernel " + level + " " + kernel);
}

template <class T> T next(std::istream& in) {
  T x{};
  in >> x;
  return x;
}
std::vector<int> list(std::istream& in, size_t length) {
  std::vector<int> values(length);
  for (int& value : values) in >> value;
  return values;
}
}

int main(int, char** names) {
  std::ifstream calls(names[1], std::ios::binary);
  std::ofstream results(names[2], std::ios::binary);
  calls.exceptions(std::ios::badbit);
  results.exceptions(std::ios::badbit | std::ios::failbit);
  for (std::string level, name; calls >> level >> name;) {
    const Kernel kernel = find(level, name);
    calls.exceptions(std::ios::badbit | std::ios::failbit);  // a file may end only between two calls
    const std::vector<int> ints = list(calls, next<size_t>(calls)), places = list(calls, 3);
    const double infoStep = next<double>(calls);
    std::vector<Cut> cuts(next<size_t>(calls));
    for (Cut& c : cuts) calls >> c.shard >> c.row >> c.rows >> c.item >> c.items >> c.longest;
    std::vector<Argument> arguments(next<size_t>(calls));
    std::vector<std::vector<std::byte>> arrays;
    for (Argument& a : arguments) {
      calls >> a.role >> a.axis >> a.step >> a.bytes;
      arrays.emplace_back(next<size_t>(calls));
      a.data = arrays.back().data();
    }
    calls.ignore();  // the end of the line
    for (auto& array : arrays) calls.read(reinterpret_cast<char*>(array.data()), array.size());
    calls.exceptions(std::ios::badbit);

    const int cancel = 0;
    const double info = Job(kernel, ints, places.data(), arguments, cuts, infoStep, &cancel, 1).again();
    results.write(reinterpret_cast<const char*>(&info), sizeof info);
    for (size_t i = 0; i < arguments.size(); i++)
      if (arguments[i].role != in && arguments[i].role != tmp)
        results.write(reinterpret_cast<const char*>(arrays[i].data()), arrays[i].size());
  }
}
