/**
 * The functions of libc by which a kept box is found and executed: Deno itself wants more permissions
 * for the environment and for /proc, and executes no program in its place. They are opened as
 * pointers, as those of `ffi/engine/libc.ts` are.
 *
 * @module
 */

const FUNCTIONS = {
  // char *getenv(const char *name)
  getenv: { parameters: ["buffer"], result: "pointer" },
  // uid_t geteuid(void)
  geteuid: { parameters: [], result: "u32" },
  // int open(const char *pathname, int flags)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset)
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // sighandler_t signal(int signum, sighandler_t handler)
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  // int fexecve(int fd, char *const argv[], char *const envp[])
  fexecve: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
} as const;

const POINTER = { type: "pointer" } as const;
const SYMBOLS = {
  getenv: POINTER,
  geteuid: POINTER,
  open: POINTER,
  pread: POINTER,
  close: POINTER,
  signal: POINTER,
  fexecve: POINTER,
  environ: POINTER,
} as const;

const O_CLOEXEC = 0o2000000;
const SIGPIPE = 13;

/** What is needed of libc. */
export class EarlyLibc {
  readonly #addresses = openAny("libc.so.6", `libc.musl-${Deno.build.arch}.so.1`);

  /** The user as whom this process runs. */
  user(): number {
    return this.#function("geteuid").call();
  }

  /** The value of a variable of the environment. */
  variable(name: string): string | undefined {
    const value = this.#function("getenv").call(cString(name));
    return value === null ? undefined : Deno.UnsafePointerView.getCString(value);
  }

  /** Opens a file; returns its descriptor. */
  open(path: string): number {
    const file = this.#function("open").call(cString(path), O_CLOEXEC);
    if (file < 0) throw new Error(`${path} cannot be opened`);
    return file;
  }

  /** Closes a descriptor. */
  close(file: number): void {
    this.#function("close").call(file);
  }

  /** Reads a file from a position to its end. */
  read(file: number, position: number): Uint8Array<ArrayBuffer> {
    const read = this.#function("pread");
    const buffer = new Uint8Array(256 * 1024);
    let length = 0;
    for (let count = 1; count > 0 && length < buffer.length; length += count) {
      const rest = buffer.subarray(length);
      count = Number(read.call(file, rest, BigInt(rest.length), BigInt(position + length)));
      if (count < 0) throw new Error("a file cannot be read");
    }
    if (length === buffer.length) throw new Error("a file is larger than is expected");
    return buffer.subarray(0, length);
  }

  /** Executes a file in place of this process, with its environment. Returns if that fails. */
  execute(file: number, argv: readonly string[]): void {
    const strings = cString(argv.join("\0"));
    let address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(strings));
    const addresses = new BigUint64Array(argv.length + 1);
    argv.forEach((word, index) => {
      addresses[index] = address;
      address += BigInt(encoder.encode(word).length + 1);
    });
    const environ = new Deno.UnsafePointerView(this.#addresses.environ!).getBigUint64();
    // Deno ignores it, and a program would go on ignoring it.
    this.#function("signal").call(SIGPIPE, null);
    this.#function("fexecve").call(file, addresses, Deno.UnsafePointer.create(environ));
  }

  #function<Name extends keyof typeof FUNCTIONS>(
    name: Name,
  ): Deno.UnsafeFnPointer<typeof FUNCTIONS[Name]> {
    const address = this.#addresses[name] as Deno.PointerObject<typeof FUNCTIONS[Name]>;
    return new Deno.UnsafeFnPointer(address, FUNCTIONS[name]);
  }
}

function openAny(name: string, otherwise: string) {
  try {
    return Deno.dlopen(name, SYMBOLS).symbols;
  } catch {
    return Deno.dlopen(otherwise, SYMBOLS).symbols;
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}

const encoder = new TextEncoder();
