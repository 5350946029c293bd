/**
 * What is taken from libc: only what loads the engine, and the environment, which nothing but
 * libc knows after a `setenv`. Everything else is a system call.
 *
 * @module
 */

const SYMBOLS = {
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count)
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // char *getenv(const char *name)
  getenv: { parameters: ["buffer"], result: "pointer" },
  // extern char **environ, as it was when the library was opened
  environ: { type: "pointer" },
  // void *dlsym(void *handle, const char *symbol); part of libc since glibc 2.34
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer", optional: true },
} as const;

/** The library, opened. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Opens libc: glibc by its name, or musl by its own. Asks for the permission to use FFI. */
export function openLibc(): Libc {
  const musl = `libc.musl-${Deno.build.arch}.so.1`;
  try {
    return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    try {
      return Deno.dlopen(musl, SYMBOLS).symbols;
    } catch {
      throw error;
    }
  }
}
