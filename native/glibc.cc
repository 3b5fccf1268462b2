// Symbols newer than glibc 2.28, in the form older systems have them: a package that is built on a new Debian then
// loads on any Linux of the last years. The linker sends each reference to NAME here, to __wrap_NAME (CMakeLists.txt,
// PORTABLE).
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

// Threads moved from libpthread into libc in 2.34; the versions before are still in both.
#if defined __x86_64__
#define OLD(name) __asm__(".symver old_" #name "," #name "@GLIBC_2.2.5")
#elif defined __aarch64__
#define OLD(name) __asm__(".symver old_" #name "," #name "@GLIBC_2.17")
#endif
OLD(pthread_create);
OLD(pthread_join);
OLD(pthread_once);
OLD(__pthread_key_create);

extern "C" {
int old_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int old_pthread_join(pthread_t, void**);
int old_pthread_once(pthread_once_t*, void (*)());
int old___pthread_key_create(pthread_key_t*, void (*)(void*));

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  return old_pthread_create(thread, attributes, start, argument);
}
int __wrap_pthread_join(pthread_t thread, void** result) { return old_pthread_join(thread, result); }
int __wrap_pthread_once(pthread_once_t* once, void (*start)()) { return old_pthread_once(once, start); }
int __wrap___pthread_key_create(pthread_key_t* key, void (*destroy)(void*)) {
  return old___pthread_key_create(key, destroy);
}

/// Tells libstdc++ whether it may count references without atomics (2.32): never, since Node has threads.
char __wrap___libc_single_threaded = 0;

/// Finds the unwind table of an address (2.35), as libgcc did before: by going through the loaded objects.
int __wrap__dl_find_object(void* address, struct dl_find_object* found) {
  struct Search {
    ElfW(Addr) address;
    struct dl_find_object* found;
  } search{ElfW(Addr)(address), found};
  const auto look = [](dl_phdr_info* info, size_t, void* data) {
    Search& search = *static_cast<Search*>(data);
    ElfW(Addr) start = 0, end = 0;
    const ElfW(Phdr)* table = nullptr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
      const ElfW(Phdr)& header = info->dlpi_phdr[i];
      const ElfW(Addr) from = info->dlpi_addr + header.p_vaddr;
      if (header.p_type == PT_GNU_EH_FRAME) table = &header;
      if (header.p_type == PT_LOAD && search.address >= from && search.address < from + header.p_memsz)
        start = from, end = from + header.p_memsz;
    }
    if (!end || !table) return 0;
    search.found->dlfo_map_start = reinterpret_cast<void*>(start);
    search.found->dlfo_map_end = reinterpret_cast<void*>(end);
    search.found->dlfo_eh_frame = reinterpret_cast<void*>(info->dlpi_addr + table->p_vaddr);
    return 1;
  };
  return dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
}
