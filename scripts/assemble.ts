/**
 * `deno task assemble`: makes `ffi/engine/bytes.ts` from the assembler sources beside it, with
 * GNU binutils for both architectures (Debian: binutils, binutils-aarch64-linux-gnu).
 *
 * @module
 */

const HERE = new URL("../ffi/engine/", import.meta.url).pathname;

/** The tool of an architecture, native or cross. */
export function tool(name: "as" | "ld" | "objcopy", architecture: string): string {
  return architecture === Deno.build.arch ? name : `${architecture}-linux-gnu-${name}`;
}

/** The engine as a shared object that holds nothing but its one function. */
export function assembleEngine(architecture: string): Uint8Array<ArrayBuffer> {
  return build(architecture, `${architecture}.S`, [
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

/** The init as a static executable of one segment, its ELF header part of the source. */
export function assembleInit(architecture: string): Uint8Array<ArrayBuffer> {
  return executable(architecture, `init_${architecture}.S`);
}

/** The marker, likewise. */
export function assembleMarker(architecture: string): Uint8Array<ArrayBuffer> {
  return executable(architecture, `marker_${architecture}.S`);
}

function executable(architecture: string, source: string): Uint8Array<ArrayBuffer> {
  // The linker for aarch64 knows no `--oformat binary`, so objcopy takes the text out.
  return build(architecture, source, ["-Ttext=0x400000"], ["-O", "binary", "-j", ".text"]);
}

function build(
  architecture: string,
  source: string,
  ld: string[],
  objcopy?: string[],
): Uint8Array<ArrayBuffer> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-assemble-" });
  try {
    run(tool("as", architecture), [HERE + source, "-o", `${directory}/object`]);
    run(tool("ld", architecture), [...ld, "-o", `${directory}/image`, `${directory}/object`]);
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

/** The source of the module with the bytes. */
export function bytesModule(): string {
  const lines = [
    "/**",
    " * The engine, the init and the marker, assembled. Made by `deno task assemble` from the `.S`",
    " * files beside this one; a test compares them.",
    " *",
    " * @module",
    " */",
    "",
  ];
  for (
    const [name, doc, assemble] of [
      ["ENGINE", "The shared object of the engine, in base64.", assembleEngine],
      ["INIT", "The static executable of the init, in base64.", assembleInit],
      ["MARKER", "The static executable of the marker, in base64.", assembleMarker],
    ] as const
  ) {
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
}
