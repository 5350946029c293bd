/**
 * `deno task assemble`: makes `ffi/engine/bytes.ts` from the assembler sources beside it, with
 * GNU binutils for both architectures (Debian: binutils, binutils-aarch64-linux-gnu).
 *
 * @module
 */

const HERE = new URL("../ffi/engine/", import.meta.url).pathname;
const BOX = new URL("../box/", import.meta.url).pathname;
const LAUNCH = new URL("../launch/", import.meta.url).pathname;
const OCI = new URL("../oci/", import.meta.url).pathname;

/** The tool of an architecture, native or cross. */
export function tool(name: "as" | "ld" | "objcopy", architecture: string): string {
  return architecture === Deno.build.arch ? name : `${architecture}-linux-gnu-${name}`;
}

/** The engine as a shared object that holds nothing but its one function. */
export function assembleEngine(architecture: string): Uint8Array<ArrayBuffer> {
  return build(architecture, [`${HERE}${architecture}.S`], [
    "-shared",
    "--hash-style=sysv",
    "--build-id=none",
    "-z",
    "noseparate-code",
    "-z",
    "norelro",
    // Deno closes the libraries of a worker that is terminated, while a thread of the pool may be
    // waiting in this one.
    "-z",
    "nodelete",
    // aarch64 kernels may have pages of 64 KiB.
    "-z",
    "max-page-size=65536",
    "-s",
  ]);
}

/** The code of a box: its start, which comes first, and the engine. It runs at any address. */
export function assembleStart(architecture: string): Uint8Array<ArrayBuffer> {
  return build(
    architecture,
    [`${BOX}start_${architecture}.S`, `${HERE}${architecture}.S`],
    ["-Ttext=0x400000"],
    ["-O", "binary", "-j", ".text"],
  );
}

/** The code of a box that looks at the standard streams. It runs at any address. */
export function assembleStreams(architecture: string): Uint8Array<ArrayBuffer> {
  const source = `${BOX}streams_${architecture}.S`;
  return build(architecture, [source], ["-Ttext=0x400000"], ["-O", "binary", "-j", ".text"]);
}

/** The init as a static executable of one segment, its ELF header part of the source. */
export function assembleInit(architecture: string): Uint8Array<ArrayBuffer> {
  return executable(architecture, `${HERE}init_${architecture}.S`);
}

/** The marker, likewise. */
export function assembleMarker(architecture: string): Uint8Array<ArrayBuffer> {
  return executable(architecture, `${HERE}marker_${architecture}.S`);
}

/** What waits in a container, without its table, and the engine behind it. */
export function assembleWait(architecture: string): Uint8Array<ArrayBuffer> {
  return build(
    architecture,
    [`${LAUNCH}wait_${architecture}.S`, `${HERE}${architecture}.S`],
    ["-Ttext=0x400000"],
    ["-O", "binary", "-j", ".text"],
  );
}

/** What removes the files of OCI containers, as the init. */
export function assembleRemove(architecture: string): Uint8Array<ArrayBuffer> {
  return executable(architecture, `${OCI}remove_${architecture}.S`);
}

/** The client of the planner of OCI containers, and the engine behind it. */
export function assembleAsk(architecture: string): Uint8Array<ArrayBuffer> {
  return build(
    architecture,
    [`${OCI}ask_${architecture}.S`, `${HERE}${architecture}.S`],
    ["-Ttext=0x400000"],
    ["-O", "binary", "-j", ".text"],
  );
}

function executable(architecture: string, source: string): Uint8Array<ArrayBuffer> {
  // The linker for aarch64 knows no `--oformat binary`, so objcopy takes the text out.
  return build(architecture, [source], ["-Ttext=0x400000"], ["-O", "binary", "-j", ".text"]);
}

function build(
  architecture: string,
  sources: readonly string[],
  ld: string[],
  objcopy?: string[],
): Uint8Array<ArrayBuffer> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-assemble-" });
  try {
    const objects = sources.map((source, index) => {
      const object = `${directory}/object${index}`;
      run(tool("as", architecture), [source, "-o", object]);
      return object;
    });
    run(tool("ld", architecture), [...ld, "-o", `${directory}/image`, ...objects]);
    if (objcopy) run(tool("objcopy", architecture), [...objcopy, `${directory}/image`]);
    return Deno.readFileSync(`${directory}/image`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function run(program: string, args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Bytes for each architecture, their name and comment in the module. */
type Assembled = readonly [
  name: string,
  doc: string,
  assemble: (architecture: string) => Uint8Array<ArrayBuffer>,
];

/** The source of the module with the bytes of the engine and the init. */
export function bytesModule(): string {
  return moduleOf([
    " * The engine, the init and the marker, assembled. Made by `deno task assemble` from the `.S`",
    " * files beside this one; a test compares them.",
  ], [
    ["ENGINE", "The shared object of the engine, in base64.", assembleEngine],
    ["INIT", "The static executable of the init, in base64.", assembleInit],
    ["MARKER", "The static executable of the marker, in base64.", assembleMarker],
  ]);
}

/** The source of the module with the code of boxes. */
export function startModule(): string {
  return moduleOf([
    " * The code of boxes, assembled: their start, and the engine behind it. Made by `deno task assemble`",
    " * from the `.S` files beside this one and in `ffi/engine/`; a test compares them.",
  ], [
    ["START", "The code of a box, in base64.", assembleStart],
    ["STREAMS", "The code that looks at the standard streams, in base64.", assembleStreams],
  ]);
}

/** The source of the module with the code of what waits in a container. */
export function waitModule(): string {
  return moduleOf([
    " * The code of what waits in a container, assembled, with the engine behind it. Made by",
    " * `deno task assemble` from the `.S` files beside this one and in `ffi/engine/`; a test compares",
    " * them.",
  ], [["WAIT", "The executable without its table, in base64.", assembleWait]]);
}

/** The source of the module with what removes the files of OCI containers. */
export function removeModule(): string {
  return moduleOf([
    " * What removes the files of a container, assembled. Made by `deno task assemble` from the `.S`",
    " * files beside this one; a test compares them.",
  ], [["REMOVE", "The static executable, in base64.", assembleRemove]]);
}

/** The source of the module with the client of the planner. */
export function askModule(): string {
  return moduleOf([
    " * The client of the planner, assembled, with the engine behind it. Made by `deno task assemble`",
    " * from the `.S` files beside this one and in `ffi/engine/`; a test compares them.",
  ], [["ASK", "The static executable, in base64.", assembleAsk]]);
}

function moduleOf(about: readonly string[], assembled: readonly Assembled[]): string {
  const lines = ["/**", ...about, " *", " * @module", " */", ""];
  for (const [name, doc, assemble] of assembled) {
    lines.push(`/** ${doc} */`, `export const ${name} = {`);
    for (const architecture of ["x86_64", "aarch64"]) {
      const parts = assemble(architecture).toBase64().match(/.{1,92}/g) ?? [];
      lines.push(`  ${architecture}:`);
      lines.push(...parts.map((part, i) => `    "${part}"${i === parts.length - 1 ? "," : " +"}`));
    }
    lines.push("} as const;", "");
  }
  return lines.join("\n");
}

if (import.meta.main) {
  Deno.writeTextFileSync(`${HERE}bytes.ts`, bytesModule());
  Deno.writeTextFileSync(`${BOX}bytes.ts`, startModule());
  Deno.writeTextFileSync(`${LAUNCH}wait_bytes.ts`, waitModule());
  Deno.writeTextFileSync(`${OCI}remove_bytes.ts`, removeModule());
  Deno.writeTextFileSync(`${OCI}ask_bytes.ts`, askModule());
}
