import { assertEquals, assertMatch, assertThrows, fail } from "@std/assert";
import type { Elf } from "../../ffi/elf.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { readLoaderCache } from "../../host/elf/loader_cache.ts";
import { filesOfPrograms, type ProgramHost } from "../../host/elf/program_files.ts";
import { programHost } from "../../host/elf/elf_reader.ts";
import { rounds } from "../rounds.ts";

// The engine is loaded before the first test, whose sanitizer would report it as leaked.
engine();

const encoder = new TextEncoder();
const X86_64 = 62, AARCH64 = 183;
const GLIBC = "/lib64/ld-linux-x86-64.so.2", MUSL = "/lib/ld-musl-x86_64.so.1";

/** A file of a fake host: a library or program, or a text. */
type Made = Partial<Elf> | string;

/** Returns a host with these files. */
function hostOf(files: Record<string, Made>, links: Record<string, string> = {}): ProgramHost {
  const tidy = (path: string) => new URL(path, "file:///").pathname;
  const at = (path: string): Made | undefined => files[links[tidy(path)] ?? tidy(path)];
  return {
    elf(path) {
      const file = at(path);
      return typeof file !== "object" ? undefined : {
        machine: X86_64,
        interpreter: undefined,
        soname: undefined,
        needed: [],
        runpath: [],
        rpath: [],
        noDefaultDirectories: false,
        ...file,
      };
    },
    head(path) {
      const file = at(path);
      return file === undefined ? undefined : encoder.encode(typeof file === "string" ? file : "");
    },
    bytes(path) {
      const file = at(path);
      return typeof file === "string" ? Uint8Array.from(file, (c) => c.charCodeAt(0)) : undefined;
    },
    realPath: (path) => links[path] ?? path,
  };
}

/** Returns the files of the program, as `target` or `source → target`; or the issue. */
function needed(program: string, host: ProgramHost): string[] | string {
  class Refusal {
    constructor(readonly issue: string) {}
  }
  try {
    return filesOfPrograms([program], host, (issue) => {
      throw new Refusal(issue);
    }).map(({ source, target }) => source === target ? target : `${source} → ${target}`);
  } catch (error) {
    if (error instanceof Refusal) return error.issue;
    throw error;
  }
}

/** Returns a loader's cache with these paths; every name may have several. */
function cacheOf(paths: readonly (readonly [name: string, path: string, hwcap?: bigint])[]) {
  const entries = 48 + paths.length * 24;
  const texts: number[] = [];
  const view = new DataView(new ArrayBuffer(entries));
  const place = (text: string) => {
    const at = entries + texts.length;
    texts.push(...encoder.encode(`${text}\0`));
    return at;
  };
  new Uint8Array(view.buffer).set(encoder.encode("glibc-ld.so.cache1.1"));
  view.setUint32(20, paths.length, true);
  paths.forEach(([name, path, hwcap = 0n], index) => {
    view.setUint32(48 + index * 24 + 4, place(name), true);
    view.setUint32(48 + index * 24 + 8, place(path), true);
    view.setBigUint64(48 + index * 24 + 16, hwcap, true);
  });
  return Uint8Array.from([...new Uint8Array(view.buffer), ...texts]);
}

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

Deno.test("a static program needs no other file", () => {
  assertEquals(needed("/bin/a", hostOf({ "/bin/a": {} })), ["/bin/a"]);
});

Deno.test("libraries are found in the default directories, with their own libraries", () => {
  const host = hostOf({
    "/bin/a": { interpreter: GLIBC, needed: ["libb.so.1"] },
    [GLIBC]: {},
    "/usr/lib/x86_64-linux-gnu/libb.so.1": { needed: ["libc.so.6", "ld-linux-x86-64.so.2"] },
    "/lib/x86_64-linux-gnu/libc.so.6": { needed: ["libb.so.1"] },
  });
  assertEquals(needed("/bin/a", host), [
    "/bin/a",
    GLIBC,
    "/usr/lib/x86_64-linux-gnu/libb.so.1",
    "/lib/x86_64-linux-gnu/libc.so.6",
  ]);
});

Deno.test("a library for another machine is skipped", () => {
  const host = hostOf({
    "/bin/a": { interpreter: GLIBC, needed: ["libb.so"] },
    [GLIBC]: {},
    "/lib/x86_64-linux-gnu/libb.so": { machine: AARCH64 },
    "/usr/lib/libb.so": {},
  });
  assertEquals(needed("/bin/a", host), ["/bin/a", GLIBC, "/usr/lib/libb.so"]);
});

Deno.test("the loader's cache precedes the default directories, and is included if it is needed", () => {
  const files = { "/bin/a": { interpreter: GLIBC, needed: ["libb.so"] }, [GLIBC]: {} };
  const cache = latin1(cacheOf([
    ["libb.so", "/opt/newer/libb.so", 1n << 62n],
    ["libb.so", "/opt/missing/libb.so"],
    ["libb.so", "/opt/lib/libb.so"],
  ]));
  const libraries = { "/opt/newer/libb.so": {}, "/opt/lib/libb.so": {}, "/lib/libb.so": {} };
  const host = hostOf({ ...files, ...libraries, "/etc/ld.so.cache": cache });
  assertEquals(needed("/bin/a", host), [
    "/bin/a",
    GLIBC,
    "/opt/lib/libb.so",
    "/etc/ld.so.cache",
  ]);
  assertEquals(needed("/bin/a", hostOf({ ...files, ...libraries })), [
    "/bin/a",
    GLIBC,
    "/lib/libb.so",
  ]);
});

Deno.test("RUNPATH applies to the object's own libraries only, RPATH to theirs too", () => {
  const files = {
    [GLIBC]: {},
    "/opt/libb.so": { needed: ["libc.so"] },
    "/opt/libc.so": {},
  };
  const program = { interpreter: GLIBC, needed: ["libb.so"] };
  assertEquals(needed("/bin/a", hostOf({ ...files, "/bin/a": { ...program, rpath: ["/opt"] } })), [
    "/bin/a",
    GLIBC,
    "/opt/libb.so",
    "/opt/libc.so",
  ]);
  assertEquals(
    needed("/bin/a", hostOf({ ...files, "/bin/a": { ...program, runpath: ["/opt"] } })),
    "the library libc.so, which /opt/libb.so needs, does not exist",
  );
});

Deno.test("an object with DF_1_NODEFLIB gets no library from the default directories", () => {
  const host = hostOf({
    "/bin/a": { interpreter: GLIBC, needed: ["libb.so"], noDefaultDirectories: true },
    [GLIBC]: {},
    "/lib/libb.so": {},
  });
  assertEquals(needed("/bin/a", host), "the library libb.so, which /bin/a needs, does not exist");
});

Deno.test("$ORIGIN is the program's real directory on the host, and its directory in the container", () => {
  const host = hostOf({
    "/opt/a/bin/a": { interpreter: GLIBC, needed: ["libb.so"], runpath: ["$ORIGIN/../lib"] },
    [GLIBC]: {},
    "/opt/a/lib/libb.so": { needed: ["${ORIGIN}/more/libc.so"] },
    "/opt/a/lib/more/libc.so": {},
  }, { "/usr/bin/a": "/opt/a/bin/a" });
  assertEquals(needed("/usr/bin/a", host), [
    "/usr/bin/a",
    GLIBC,
    "/opt/a/bin/../lib/libb.so → /usr/lib/libb.so",
    "/opt/a/bin/../lib/more/libc.so → /usr/lib/more/libc.so",
  ]);
});

Deno.test("a library that is loaded already is not searched again", () => {
  const host = hostOf({
    "/bin/a": { interpreter: GLIBC, needed: ["/opt/libb.so.1.2", "libb.so.1"] },
    [GLIBC]: {},
    "/opt/libb.so.1.2": { soname: "libb.so.1" },
  });
  assertEquals(needed("/bin/a", host), ["/bin/a", GLIBC, "/opt/libb.so.1.2"]);
});

Deno.test("musl's loader is the C library, and may have a list of directories", () => {
  const files = {
    "/bin/a": { interpreter: MUSL, needed: ["libc.musl-x86_64.so.1", "libz.so.1"] },
    [MUSL]: {},
    "/usr/lib/libz.so.1": {},
    "/opt/libz.so.1": {},
  };
  assertEquals(needed("/bin/a", hostOf(files)), ["/bin/a", MUSL, "/usr/lib/libz.so.1"]);
  const list = { "/etc/ld-musl-x86_64.path": "/nowhere\n/opt:/usr/lib\n" };
  assertEquals(needed("/bin/a", hostOf({ ...files, ...list })), [
    "/bin/a",
    MUSL,
    "/opt/libz.so.1",
    "/etc/ld-musl-x86_64.path",
  ]);
});

Deno.test("a script needs its interpreter, and the files of that", () => {
  const host = hostOf({
    "/bin/a": "#! /bin/b -x\nsomething",
    "/bin/b": "#!/bin/c\n",
    "/bin/c": {},
  });
  assertEquals(needed("/bin/a", host), ["/bin/a", "/bin/b", "/bin/c"]);
});

Deno.test("a missing file is reported with the object that needs it", () => {
  const program = { interpreter: GLIBC, needed: ["libb.so"] };
  const complaints: [host: Record<string, Made>, issue: RegExp][] = [
    [{}, /^\/bin\/a does not exist, or is not a regular file$/],
    [{ "/bin/a": "text" }, /^\/bin\/a is neither a program .* nor a script/],
    [
      { "/bin/a": program },
      /^the loader \/lib64\/ld-linux-x86-64.so.2, which \/bin\/a needs, does not exist$/,
    ],
    [
      { "/bin/a": program, [GLIBC]: {} },
      /^the library libb.so, which \/bin\/a needs, does not exist$/,
    ],
    [
      { "/bin/a": "#!/bin/b\n" },
      /^the interpreter \/bin\/b of \/bin\/a does not exist, or is not a regular file$/,
    ],
    [{ "/bin/a": "#!b\n" }, /its interpreter, "b", has no absolute path$/],
    [{ "/bin/a": "#!/bin/a\n" }, /too many of its interpreters are scripts themselves$/],
  ];
  for (const [files, issue] of complaints) {
    assertMatch(String(needed("/bin/a", hostOf(files))), issue);
  }
});

Deno.test("a damaged cache has fewer paths, or none", () => {
  const cache = cacheOf([["liba.so", "/lib/liba.so"], ["libb.so", "/lib/libb.so"]]);
  for (let length = 0; length < cache.length; length++) {
    const paths = readLoaderCache(cache.subarray(0, length));
    assertEquals(paths.size <= 2, true);
  }
  assertEquals(readLoaderCache(cache).get("libb.so"), ["/lib/libb.so"]);
  cache.fill(0xff, 20, 28);
  readLoaderCache(cache);
});

Deno.test("the libraries of programs of this host are those that ldd finds", async () => {
  // A third, and another one in other runs: all take longer than the rest of the file.
  const all = [...Deno.readDirSync("/usr/bin")].map(({ name }) => `/usr/bin/${name}`)
    .filter((_, index) => index % 3 === Deno.pid % 3);
  const programs = all.slice(0, rounds(all.length));
  let compared = 0;
  for (const [program, expected] of await ldd(programs)) {
    const found = needed(program, programHost(() => {}, fail));
    assertEquals(typeof found, "object", `${program}: ${found}`);
    // ldd does not list the program itself.
    const libraries = (found as string[]).slice(1).map((path) => path.split(" → ")[0]!);
    assertEquals(realPaths(libraries), realPaths(expected), program);
    compared++;
  }
  assertEquals(compared > rounds(20), true, `only ${compared} programs were compared`);
});

/** The output of ldd(1), for programs that it accepts and whose libraries all exist. */
async function ldd(programs: readonly string[]): Promise<Map<string, string[]>> {
  const { stdout } = await new Deno.Command("ldd", {
    args: [...programs],
    env: { LC_ALL: "C" },
    stderr: "null",
  }).output();
  const output = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const heading = /^(\/.*):$/.exec(line);
    if (heading !== null) output.set(heading[1]!, lines = []);
    else lines.push(line);
  }
  for (const [program, lines] of output) {
    const text = lines.join("\n");
    if (!text.includes("ld-linux") || text.includes("not found")) output.delete(program);
    else output.set(program, [...text.matchAll(/^\t(?:.* => )?(\/.*) \(0x/gm)].map((m) => m[1]!));
  }
  return output;
}

/** Sorted, without links, and without the cache, which ldd does not list. */
function realPaths(paths: readonly string[]): string[] {
  const real = paths.filter((path) => path !== "/etc/ld.so.cache").map((path) =>
    Deno.realPathSync(path)
  );
  return [...new Set(real)].sort();
}

Deno.test("a program that names libraries without end is refused", () => {
  const issues: string[] = [];
  const host = programHost(() => {}, (issue) => {
    issues.push(issue);
    throw new RangeError(issue);
  });
  assertThrows(() => {
    for (let index = 0; index <= 100_000; index++) host.elf(`/nonesuch/${index}`);
  }, RangeError);
  assertEquals(issues, ["the programs have too many libraries to look for them all"]);
});
