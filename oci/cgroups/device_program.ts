/**
 * Device rules as a program that the kernel runs for each open(2) and mknod(2) of a device in a group
 * of version 2. See bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE.
 *
 * @module
 */

import { call, Struct } from "../../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  openat,
} from "../../ffi/calls/files.ts";
import { syscall } from "../../ffi/syscalls.ts";
import type { DeviceRule } from "../spec.ts";

const [BPF_PROG_LOAD, BPF_PROG_ATTACH] = [5, 8];
const [BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE] = [15, 6];
/** The flags of an attachment: others, of groups above and below, count too. */
const BPF_F_ALLOW_MULTI = 2;
const ATTRIBUTES_SIZE = 128;

/** Loads a program of these rules and attaches it to a group. */
export function attachDeviceProgram(directory: string, rules: readonly DeviceRule[]): void {
  const code = assembleRules(rules);
  const license = new TextEncoder().encode("MIT\0");
  const load = new Uint8Array(ATTRIBUTES_SIZE);
  const view = new DataView(load.buffer);
  view.setUint32(0, BPF_PROG_TYPE_CGROUP_DEVICE, true);
  view.setUint32(4, code.length / 8, true);
  const program = syscall(
    call(
      "bpf",
      BPF_PROG_LOAD,
      new Struct(load, "&load", [{ offset: 8, to: code }, { offset: 16, to: license }]),
      ATTRIBUTES_SIZE,
    ),
    { EPERM: "the device rules of control groups take CAP_SYS_ADMIN, or CAP_BPF, on the host" },
  );
  try {
    const group = syscall(openat(at_fdcwd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    try {
      const attach = new Uint8Array(ATTRIBUTES_SIZE);
      const fields = new DataView(attach.buffer);
      [group, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI].forEach((value, index) =>
        fields.setUint32(4 * index, value, true)
      );
      syscall(call("bpf", BPF_PROG_ATTACH, new Struct(attach, "&attach"), ATTRIBUTES_SIZE));
    } finally {
      syscall(close(group));
    }
  } finally {
    syscall(close(program));
  }
}

/** Registers: what is asked (1, the context), type, access, major, minor, and one to work with. */
const [R0, R1, R2, R3, R4, R5] = [0, 1, 2, 3, 4, 5];
const [MOV_K, MOV_X, AND_K, RSH_K, LOAD_W] = [0xb7, 0xbf, 0x57, 0x77, 0x61];
const [JUMP_NE_K, JUMP_NE_X, EXIT] = [0x55, 0x5d, 0x95];

const TYPES: Readonly<Record<string, number>> = { b: 1, c: 2 };
const ACCESSES: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

/**
 * Assembles rules: the last one that matches decides, so that the last is asked first. What none
 * matches is denied.
 */
export function assembleRules(rules: readonly DeviceRule[]): Uint8Array<ArrayBuffer> {
  const code: number[][] = [
    // struct bpf_cgroup_dev_ctx: access in the upper half of the first word, the type in the lower.
    [LOAD_W, R2, R1, 0, 0],
    [AND_K, R2, 0, 0, 0xffff],
    [LOAD_W, R3, R1, 0, 0],
    [RSH_K, R3, 0, 0, 16],
    [LOAD_W, R4, R1, 4, 0],
    [LOAD_W, R5, R1, 8, 0],
  ];
  const result = (allow: boolean) => [[MOV_K, R0, 0, 0, allow ? 1 : 0], [EXIT, 0, 0, 0, 0]];
  for (const { allow, type = "a", major, minor, access = "rwm" } of rules.toReversed()) {
    const bits = [...access].reduce((sum, letter) => sum | (ACCESSES[letter] ?? 0), 0);
    const tests: ((skip: number) => number[])[] = [];
    if (type !== "a") tests.push((skip) => [JUMP_NE_K, R2, 0, skip, TYPES[type] ?? 0]);
    if (!isAny(major)) tests.push((skip) => [JUMP_NE_K, R4, 0, skip, major]);
    if (!isAny(minor)) tests.push((skip) => [JUMP_NE_K, R5, 0, skip, minor]);
    // All that is asked has to be in the rule; what is denied, for any of it.
    const every = bits === 7;
    const before: number[][] = every ? [] : [
      [MOV_X, R1, R3, 0, 0],
      [AND_K, R1, 0, 0, bits],
    ];
    const compare = (skip: number): number[] =>
      allow ? [JUMP_NE_X, R1, R3, skip, 0] : [JUMP_EQ_K, R1, 0, skip, 0];
    const end = result(allow);
    const size = tests.length + (every ? 0 : before.length + 1) + end.length;
    tests.forEach((test, index) => code.push(test(size - index - 1)));
    if (!every) code.push(...before, compare(end.length));
    code.push(...end);
    // The kernel refuses what is never reached.
    if (tests.length === 0 && every) return encode(code);
  }
  code.push(...result(false));
  return encode(code);
}

const JUMP_EQ_K = 0x15;

/** Encodes instructions: code, destination, source, offset, immediate. */
function encode(code: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(code.length * 8);
  const view = new DataView(bytes.buffer);
  code.forEach(([operation, destination, source, offset, immediate], index) => {
    view.setUint8(index * 8, operation!);
    view.setUint8(index * 8 + 1, destination! | source! << 4);
    view.setInt16(index * 8 + 2, offset!, true);
    view.setInt32(index * 8 + 4, immediate!, true);
  });
  return bytes;
}

/** Whether a number stands for all; engines leave it out, or write -1. */
export function isAny(number: number | null | undefined): number is null | undefined {
  return number === undefined || number === null || number < 0;
}
