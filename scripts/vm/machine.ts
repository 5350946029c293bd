/**
 * The machines that are emulated: hosts that the one at hand is not.
 *
 * @module
 */

/** A machine, and what runs it. */
export interface Machine {
  /** The architecture, by the name that the kernel and Deno have for it. */
  readonly name: "x86_64" | "aarch64";
  /** The architecture, by Debian's name. */
  readonly debian: string;
  /** Debian's packages of a kernel for clouds, which has few drivers: the first that apt knows. */
  readonly kernels: readonly string[];
  /** The package of npm that holds Deno for it. */
  readonly deno: string;
  /** The emulator and the board; `-cpu max` is everything that it can emulate. */
  readonly emulator: readonly string[];
  /** The serial port, as the kernel names it. */
  readonly console: string;
  /** How many seconds it may run a part of the suite, on a slow host. */
  readonly bound: number;
  /** The tests of what differs from other hosts there: what `--brief` runs. */
  readonly brief: readonly string[];
}

/**
 * An x86_64 with the newer kernel that Debian has for its release, and an aarch64 with the release's
 * own. Landlock is their only security module besides the capabilities.
 */
export const MACHINES: readonly Machine[] = [
  {
    name: "x86_64",
    debian: "amd64",
    // Landlock is of version 6 there, of version 2 in the 6.1 of aarch64.
    kernels: ["linux-image-6.12-cloud-amd64", "linux-image-cloud-amd64"],
    deno: "@deno/linux-x64-glibc",
    emulator: ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max"],
    console: "ttyS0",
    bound: 7200,
    brief: [
      "tests/ffi/cgroups_test.ts",
      "tests/steps/landlock_test.ts",
      "tests/steps/limits_test.ts",
    ],
  },
  {
    name: "aarch64",
    debian: "arm64",
    kernels: ["linux-image-cloud-arm64"],
    deno: "@deno/linux-arm64-glibc",
    // Authenticated pointers by the algorithm of the architecture take half of the emulator's time.
    emulator: ["qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on"],
    console: "ttyAMA0",
    bound: 14_400,
    brief: [
      "tests/ffi/engine_test.ts",
      "tests/ffi/init_test.ts",
      "tests/steps/limits_test.ts",
      "tests/steps/seccomp_test.ts",
      "tests/steps/time_test.ts",
    ],
  },
];

/** The kernel's command line: cgroup v2 alone, Landlock, and power off on a panic. */
export function commandLine(machine: Machine): string {
  return `console=${machine.console} quiet panic=-1 rdinit=/vm/init ` +
    "cgroup_no_v1=all lsm=landlock";
}
