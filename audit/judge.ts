/**
 * Tells of a call whether what it is about is denied to the program. A report, and no decision: the
 * program can change between a look and the call what the call points to.
 *
 * @module
 */

import type { NotifiedCall } from "../ffi/calls/seccomp_notifications.ts";
import { errnoName } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { decodeName } from "../ffi/file_name.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { at_fdcwd } from "../ffi/calls/at.ts";
import type { FilterAnswer } from "../ffi/seccomp/observe.ts";
import { type FileUse, PATH_CALLS, type PathArgument } from "../ffi/seccomp/path_calls.ts";
import { isWithin, parentOf } from "../recipe/path.ts";
import { type Advice, Advisor } from "./advice.ts";
import { absolutePathOf, ContainerFiles } from "./container_files.ts";
import type { Denial, DenialLog } from "./denial.ts";
import type { UseLog } from "./file_use.ts";
import type { Listener } from "./listener.ts";
import { hasListener, nameAskedFor, readAddress } from "./network.ts";

/** What was denied, without the program. */
type Tried = Pick<Denial, "kind" | "what"> & Advice;

/** The most paths whose state is kept, so that each is looked at once. */
const MOST_KNOWN = 50_000;

/** AF_UNIX. */
const UNIX = 1n;

/** What a judge notes: what is denied, and where it is asked for, the files that are used. */
export interface Notes {
  readonly denials: DenialLog;
  readonly uses?: UseLog | undefined;
}

/** Judges the calls of a container. */
export class Judge {
  readonly #listener: Listener;
  readonly #denials: DenialLog;
  readonly #uses: UseLog | undefined;
  readonly #advisor: Advisor;
  readonly #ownNetwork: boolean;
  readonly #known = new Set<string>();
  #files: ContainerFiles | undefined;

  /** @param ownNetwork whether the container has no network of the host's */
  constructor(
    listener: Listener,
    { denials, uses }: Notes,
    advisor: Advisor,
    ownNetwork: boolean,
  ) {
    this.#listener = listener;
    this.#denials = denials;
    this.#uses = uses;
    this.#advisor = advisor;
    this.#ownNetwork = ownNetwork;
  }

  /**
   * Looks at a call by its name, and at what the filter answers. Where it cannot look, as the program
   * was killed meanwhile, it notes nothing: it must not be an error of the script.
   */
  judge(name: string, notified: NotifiedCall, answer: FilterAnswer): void {
    try {
      this.#judge(name, notified, answer);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }

  #judge(name: string, notified: NotifiedCall, answer: FilterAnswer): void {
    if (!answer.passes) return this.#denied(name, notified, answer.errno);
    if (name === "connect" || name === "sendto" || name === "sendmmsg") {
      return this.#judgeNetwork(name, notified);
    }
    for (const argument of PATH_CALLS[name] ?? []) this.#judgePath(argument, notified);
  }

  /** Closes what it has opened. */
  close(): void {
    this.#files?.close();
  }

  #add(notified: NotifiedCall, tried: Tried): void {
    this.#denials.add({ ...tried, program: nameOf(notified.pid), pid: notified.pid });
  }

  /** A call that the filter denies, unless it answers that there is no such call: others are tried. */
  #denied(name: string, notified: NotifiedCall, errno: number): void {
    if (errnoName(errno) === "ENOSYS") return;
    const socket = name.startsWith("socket") && (notified.args[0]! & INT) === UNIX;
    if (socket) {
      return this.#add(notified, { kind: "socket", what: "a unix socket", ...Advisor.unixSockets });
    }
    const advice = MODE_CALLS.test(name) ? Advisor.setuidFiles : Advisor.calling(name);
    const what = name === "ioctl" ? `ioctl(0x${(notified.args[1]! & INT).toString(16)})` : name;
    this.#add(notified, { kind: "call", what, ...advice });
  }

  #judgePath({ path, directory, use, flags }: PathArgument, notified: NotifiedCall): void {
    const text = this.#textAt(notified, notified.args[path]!);
    if (text === undefined || text === "") return;
    const base = directory === undefined
      ? undefined
      : Number(BigInt.asIntN(32, notified.args[directory]!));
    const whole = absolutePathOf(text, notified.pid, base);
    if (whole === undefined) return;
    const wanted = use === "open" || use === "openHow"
      ? this.#useOf(notified, use, notified.args[flags!]!)
      : use;
    const key = `${this.#uses === undefined ? wanted : `${use} ${wanted}`} ${whole}`;
    if (this.#known.has(key)) return;
    if (this.#known.size === MOST_KNOWN) this.#known.clear();
    this.#known.add(key);
    if (!this.#isDenied(whole, wanted, notified)) {
      return this.#note(whole, wanted, use === "open" || use === "openHow", notified);
    }
    const advice = wanted === "write" ? this.#advisor.writing(whole) : this.#advisor.reading(whole);
    this.#add(notified, { kind: wanted, what: whole, ...advice });
  }

  /** Notes that a file is used. What is missing is not, unless it is to be made. */
  #note(path: string, use: FileUse, opens: boolean, notified: NotifiedCall): void {
    if (this.#uses === undefined) return;
    const isThere = this.#filesOf(notified).stateOf(path, true) !== "missing";
    if (use === "execute") {
      if (isThere) this.#uses.add({ use, path });
    } else if (use === "read") {
      if (isThere) this.#uses.add({ use: opens ? "read" : "look", path });
    } else {
      this.#uses.add({ use: opens && isThere ? "write" : "make", path });
    }
  }

  #filesOf({ pid }: NotifiedCall): ContainerFiles {
    return this.#files ??= new ContainerFiles(pid);
  }

  #useOf(notified: NotifiedCall, use: "open" | "openHow", flags: bigint): FileUse {
    const bits = use === "open"
      ? Number(flags & INT)
      : numberIn(this.#listener.read(notified, flags, 8));
    return (bits & WRITING) === 0 ? "read" : "write";
  }

  #isDenied(path: string, use: FileUse, notified: NotifiedCall): boolean {
    const files = this.#filesOf(notified);
    if (use !== "write") {
      if (this.#advisor.isDenied(path)) return true;
      return !isWithin(path, "/proc") && files.stateOf(path, true) === "missing" &&
        isOnHost(path);
    }
    const state = files.stateOf(path, false);
    // Devices are written to on read-only mounts too.
    if (state !== "missing") return state === "readOnly" && !isWithin(path, "/dev");
    const around = files.stateOf(parentOf(path), true);
    return around === "readOnly" || (around === "missing" && isOnHost(parentOf(path)));
  }

  #judgeNetwork(name: string, notified: NotifiedCall): void {
    if (!this.#ownNetwork) return;
    const [, second = 0n, third = 0n, , fifth = 0n, sixth = 0n] = notified.args;
    if (name === "connect") return this.#judgeAddress(notified, second, third);
    if (name === "sendto" && fifth !== 0n) this.#judgeAddress(notified, fifth, sixth);
    const host = nameAskedFor(
      name === "sendto"
        ? this.#read(notified, second, Number(third))
        : this.#message(notified, second),
    );
    if (host !== undefined) {
      this.#add(notified, { kind: "host", what: host, ...Advisor.reaching(host) });
    }
  }

  /** The first part of the first message of sendmmsg(2): struct mmsghdr, struct iovec. */
  #message(notified: NotifiedCall, messages: bigint): Uint8Array<ArrayBuffer> {
    const header = this.#read(notified, messages, 24);
    if (header.length < 24) return header;
    const part = this.#read(notified, new DataView(header.buffer).getBigUint64(16, true), 16);
    if (part.length < 16) return part;
    const view = new DataView(part.buffer);
    return this.#read(notified, view.getBigUint64(0, true), Number(view.getBigUint64(8, true)));
  }

  #judgeAddress(notified: NotifiedCall, address: bigint, length: bigint): void {
    const found = readAddress(this.#read(notified, address, Math.min(Number(length & INT), 128)));
    if (found === undefined) return;
    // Names are looked up there where no server is known: the name is told instead.
    if (found.isLoopback && (found.port === DNS || listens(notified.pid, found.port))) return;
    this.#add(notified, { kind: "connect", what: found.text, ...Advisor.reaching(found.text) });
  }

  #textAt(notified: NotifiedCall, address: bigint): string | undefined {
    const bytes = this.#read(notified, address);
    const end = bytes.indexOf(0);
    return end < 0 ? undefined : decodeName(bytes.subarray(0, end));
  }

  #read(notified: NotifiedCall, address: bigint, size?: number): Uint8Array<ArrayBuffer> {
    if (address === 0n) return new Uint8Array();
    return this.#listener.read(notified, address, size);
  }
}

/** The calls that the filter denies for the mode of a file. */
const MODE_CALLS = /^(f?chmod|open|creat|mknod)/;

/** What the kernel reads of an int. */
const INT = 0xffff_ffffn;

/** O_WRONLY, O_RDWR, O_CREAT, O_TRUNC: with any of them a file is to be changed. */
const WRITING = 0o1 | 0o2 | 0o100 | 0o1000;

/** The port of name servers. */
const DNS = 53;

function isOnHost(path: string): boolean {
  const state = ContainerFiles.onHost(path);
  return state === "readOnly" || state === "writable";
}

function numberIn(bytes: Uint8Array<ArrayBuffer>): number {
  return bytes.length < 8 ? 0 : Number(new DataView(bytes.buffer).getBigUint64(0, true) & INT);
}

/** Whether something of the program's own network listens at a port. */
function listens(pid: number, port: number): boolean {
  return ["tcp", "tcp6"].some((table) =>
    hasListener(textOf(`/proc/${pid}/net/${table}`) ?? "", port)
  );
}

/** The name of a thread. */
function nameOf(pid: number): string {
  return textOf(`/proc/${pid}/comm`)?.trimEnd() ?? "?";
}

function textOf(path: string): string | undefined {
  try {
    return readWholeText(at_fdcwd, path);
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
