/**
 * The functions of libc that load the engine, the environment, which only libc knows after a `setenv`,
 * and the names of hosts, for which it reads the machine's configuration. Everything else is a system
 * call.
 *
 * The functions are opened as pointers. For a symbol that is opened as a function, Deno compiles a
 * fast call, which takes longer than all calls of these functions together.
 *
 * @module
 */

const SYMBOLS = {
  memfd_create: { type: "pointer" },
  write: { type: "pointer" },
  close: { type: "pointer" },
  getaddrinfo: { type: "pointer" },
  freeaddrinfo: { type: "pointer" },
  environ: { type: "pointer" },
} as const;

const FUNCTIONS = {
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count)
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
  //                 struct addrinfo **res)
  getaddrinfo: {
    parameters: ["buffer", "pointer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // void freeaddrinfo(struct addrinfo *res)
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
} as const;

/** The library, opened. */
export interface Libc {
  readonly memfd_create: Callable<"memfd_create">;
  readonly write: Callable<"write">;
  readonly close: Callable<"close">;
  /** Waits for name servers, in a thread of the pool. */
  readonly getaddrinfo: Callable<"getaddrinfo">;
  readonly freeaddrinfo: Callable<"freeaddrinfo">;
  /** The address of the variable `char **environ`. */
  readonly environ: Deno.PointerObject;
}

type Callable<Name extends keyof typeof FUNCTIONS> = Deno.UnsafeFnPointer<typeof FUNCTIONS[Name]>;

/** Opens libc: glibc by its name, or musl by its own. Requests the permission to use FFI. */
export function openLibc(): Libc {
  const addresses = openAny("libc.so.6", `libc.musl-${Deno.build.arch}.so.1`);
  const callable = <Name extends keyof typeof FUNCTIONS>(name: Name): Callable<Name> =>
    new Deno.UnsafeFnPointer(
      addresses[name] as Deno.PointerObject<typeof FUNCTIONS[Name]>,
      FUNCTIONS[name],
    );
  return {
    memfd_create: callable("memfd_create"),
    write: callable("write"),
    close: callable("close"),
    getaddrinfo: callable("getaddrinfo"),
    freeaddrinfo: callable("freeaddrinfo"),
    environ: addresses.environ as Deno.PointerObject,
  };
}

function openAny(name: string, otherwise: string) {
  try {
    return Deno.dlopen(name, SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    try {
      return Deno.dlopen(otherwise, SYMBOLS).symbols;
    } catch {
      throw error;
    }
  }
}
