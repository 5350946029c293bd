/**
 * The standard streams of a command, as its options have them.
 *
 * @module
 */

import type { StdioKind } from "../launch/stdio.ts";
import { dictionary, oneOf, type Schema, schema } from "../recipe/schema.ts";
import { shown } from "../recipe/shown.ts";

/** A file of the script's machine, that the script opens for a program. */
export interface StdioFile {
  /** Its path. */
  readonly path: string | URL;
}

/** A file that a program's output is written to: it is made if there is none, and emptied. */
export interface OutputFile extends StdioFile {
  /**
   * Whether what is in it stays, and the output is added to it.
   *
   * @default {false}
   */
  readonly append?: boolean;
}

/** An open file of Deno's: one of `Deno.open()`, or the script's own streams. */
export type OpenFile =
  | Deno.FsFile
  | typeof Deno.stdin
  | typeof Deno.stdout
  | typeof Deno.stderr;

/** What a program's standard input can be. */
export type InputSource =
  | StdioKind
  | number
  | OpenFile
  | StdioFile
  | ReadableStream<Uint8Array>;

/**
 * Where the script passes a program's output on to: a `WritableStream`, or what has so much of one,
 * which takes less time to make.
 */
export interface OutputSink {
  /** Whether something writes to it already. */
  readonly locked: boolean;
  /** Returns what takes the bytes. */
  getWriter(): OutputWriter;
}

/** What takes a program's output, as a writer of a `WritableStream` does. */
export interface OutputWriter {
  /** Takes bytes; resolves when it takes more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Called at the end of the output. */
  close(): Promise<void>;
  /** Called last. */
  releaseLock(): void;
}

/** What a program's standard output and error can be. */
export type OutputTarget =
  | StdioKind
  | number
  | OpenFile
  | OutputFile
  | WritableStream<Uint8Array>
  | OutputSink;

/**
 * The options of a command for its streams.
 *
 * @example A file, a stream, and both outputs in one
 * ```ts
 * import { recipe } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe();
 * const passwd = box.command("head", { args: ["-c5"], stdin: { path: "/etc/passwd" } });
 * assertEquals((await passwd.output()).text(), "root:");
 * const stdin = new Blob(["soup"]).stream();
 * assertEquals((await box.command("cat", { stdin }).output()).text(), "soup");
 * const both = box.command("ls", { args: ["/nonesuch"], stderr: "stdout" });
 * console.log((await both.output()).text()); // ls: cannot access '/nonesuch': ...
 * ```
 *
 * @example A path that is added to, an open file, and a descriptor beyond stderr
 * ```ts
 * import { recipe } from "@ramekin/ramekin";
 *
 * const log = { path: "/dev/null", append: true };
 * const echo = recipe().command("echo", { args: ["soup"], stdin: Deno.stdin, stdout: log });
 * await echo.spawn().status;
 * const args = ["-c", "echo stew >&3"];
 * await recipe().command("sh", { args, fds: { 3: Deno.stderr } }).output();
 * ```
 */
export interface StdioOptions {
  /**
   * Its standard input: besides the kinds of `Deno.Command` an open file, a descriptor of the
   * script's by its number, the path of a file, or a stream that the script passes on. A file or a
   * descriptor has to be open until `spawn()` has returned, or `output()` was called; the program has
   * one of its own from then on. The default is `"null"` for `output()` and `outputSync()`, and
   * `"inherit"` for `spawn()`.
   */
  readonly stdin?: InputSource;
  /**
   * Its standard output: a kind, an open file, a descriptor, the path of a file, or a stream. The
   * default is `"piped"` for `output()` and `outputSync()`, and `"inherit"` for `spawn()`.
   */
  readonly stdout?: OutputTarget;
  /**
   * Its standard error: as stdout, or `"stdout"`, so that both are one and what is written to them
   * stays in order. The default is `"piped"` for `output()` and `outputSync()`, and `"inherit"` for
   * `spawn()`.
   */
  readonly stderr?: OutputTarget | "stdout";
  /**
   * Descriptors that it gets beside these, by their numbers in the program, 3 to 1023: descriptors of
   * the script's or open files, as sockets for `LISTEN_FDS` (sd_listen_fds(3)). A program with a root
   * of its own gets only pipes and connections of unix sockets so.
   */
  readonly fds?: Readonly<Record<number, number | OpenFile>>;
}

const KINDS = ["piped", "inherit", "null"] as const;

/** The schema of the option of a stream. */
export function stdioSchema(stream: "stdin" | "stdout" | "stderr"): Schema {
  const kinds = oneOf(stream === "stderr" ? [...KINDS, "stdout"] : KINDS);
  const isStream = stream === "stdin" ? isReadable : isWritable;
  const expected = '"piped", "inherit", "null", a file, a descriptor, { path } or a ' +
    (stream === "stdin" ? "ReadableStream" : "WritableStream");
  return schema(expected, (value) => {
    if (typeof value === "string") return kinds.issue(value);
    if (isFile(value) || isStream(value)) return undefined;
    if (isDescriptor(value) || isPath(value)) return undefined;
    return `should be ${expected}, not ${shown(value)}`;
  });
}

/** The schema of the option `fds`. */
export function fdsSchema(): Schema {
  const expected = "a number from 3 to 1023";
  const isOne = (name: unknown) => /^[1-9]\d{0,3}$/.test(String(name));
  const number = schema(
    expected,
    (name) =>
      isOne(name) && Number(name) >= 3 && Number(name) <= 1023
        ? undefined
        : `should be ${expected}`,
  );
  const file = schema(
    "a file or a descriptor",
    (value) =>
      isFile(value) || isDescriptor(value)
        ? undefined
        : `should be a file or a descriptor, not ${shown(value)}`,
  );
  return dictionary(number, file);
}

function isDescriptor(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

/** Whether it is an open file of Deno's. */
export function isFile(value: unknown): value is OpenFile {
  return value instanceof Deno.FsFile || value === Deno.stdin || value === Deno.stdout ||
    value === Deno.stderr;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether it is a ReadableStream. The class is looked at only where it matters: it loads all streams. */
export function isReadable(value: unknown): value is ReadableStream<Uint8Array> {
  return isObject(value) && !isFile(value) && "getReader" in value &&
    value instanceof ReadableStream;
}

/** Whether it is a WritableStream, or what has its method. */
export function isWritable(value: unknown): value is OutputSink {
  return isObject(value) && !isFile(value) && "getWriter" in value &&
    typeof value.getWriter === "function";
}

function isPath(value: unknown): value is OutputFile {
  if (!isObject(value) || !("path" in value)) return false;
  const { path } = value;
  const append = "append" in value ? value.append : undefined;
  return ((typeof path === "string" && path !== "") || path instanceof URL) &&
    (append === undefined || typeof append === "boolean");
}
