/**
 * Namespaces, roots and the names of the machine. See namespaces(7), clone(2), unshare(2), setns(2).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, Named, Output } from "../call.ts";
import { NAMESPACE_REQUESTS } from "./names/namespace_files.ts";
import { CLONE_PARENT_SETTID, CLONE_PIDFD } from "./constants/namespaces.ts";
import { CLONE_FLAGS } from "./names/namespaces.ts";
import { SIGNALS } from "./constants/signals.ts";

export * from "./constants/namespace_files.ts";
export * from "./constants/namespaces.ts";

/**
 * Creates a child that starts with the calling thread's stack pointer and sends SIGCHLD when it ends.
 * The kernel stores its pid, or with `CLONE_PIDFD` a pidfd. See clone(2).
 */
export function clone(flagBits: number, stored: Output | null): Call {
  const storesPid = stored !== null && (flagBits & CLONE_PIDFD) === 0;
  const bits = (flagBits | (storesPid ? CLONE_PARENT_SETTID : 0)) >>> 0;
  const set = () => bits === 0 ? "" : `${flags(bits, CLONE_FLAGS).text}|`;
  const named = new Named(bits + SIGNALS.SIGCHLD, () => `${set()}SIGCHLD`);
  // The order of the last two arguments differs between architectures; both are 0.
  return call("clone", named, null, stored, 0, 0);
}

/** Moves the calling thread into new namespaces. See unshare(2). */
export function unshare(flagBits: number): Call {
  return call("unshare", flags(flagBits, CLONE_FLAGS));
}

/** Moves the calling thread into existing namespaces. See setns(2). */
export function setns(fd: Fd, flagBits: number): Call {
  return call("setns", fd, flags(flagBits, CLONE_FLAGS));
}

/** Performs a request on the file of a namespace. See ioctl_ns(2). */
export function namespaceIoctl(fd: Fd, request: number, argument: Output | 0 = 0): Call {
  return call("ioctl", fd, constant(request, NAMESPACE_REQUESTS), argument);
}

/** Makes a mount the root of the mount namespace. See pivot_root(2). */
export function pivot_root(newRoot: string, putOld: string): Call {
  return call("pivot_root", newRoot, putOld);
}

/** Makes a directory the root of the calling process. See chroot(2). */
export function chroot(path: string): Call {
  return call("chroot", path);
}

/** Sets the hostname. See sethostname(2). */
export function sethostname(name: string): Call {
  return call("sethostname", name, new TextEncoder().encode(name).length);
}

/** Sets the NIS domain name. See setdomainname(2). */
export function setdomainname(name: string): Call {
  return call("setdomainname", name, new TextEncoder().encode(name).length);
}

/** The length of each name in struct utsname, the NUL at its end included. */
const UTSNAME_LENGTH = 65;

/** Returns the names of the kernel and the machine. See uname(2). */
export function uname(names: Output): Call {
  return call("uname", names);
}

/** Memory for what uname(2) returns: six names. */
export function utsname(): Output {
  return new Output(6 * UTSNAME_LENGTH, "&utsname");
}

/** The names of the kernel and the machine: struct new_utsname (linux/utsname.h). */
export interface Utsname {
  /** The kernel: `"Linux"`. */
  readonly sysname: string;
  /** The hostname. */
  readonly nodename: string;
  /** The kernel's version: `"6.1.0-18-amd64"`. */
  readonly release: string;
  /** When and how the kernel was built. */
  readonly version: string;
  /** The architecture: `"x86_64"`. */
  readonly machine: string;
  /** The NIS domain name. */
  readonly domainname: string;
}

/** What uname(2) returned. */
export function readUtsname(names: DataView): Utsname {
  const text = (index: number) => {
    const start = names.byteOffset + index * UTSNAME_LENGTH;
    const field = new Uint8Array(names.buffer, start, UTSNAME_LENGTH);
    return new TextDecoder().decode(field.subarray(0, field.indexOf(0)));
  };
  return {
    sysname: text(0),
    nodename: text(1),
    release: text(2),
    version: text(3),
    machine: text(4),
    domainname: text(5),
  };
}
