/**
 * What `seccomp()` can deny beside whole calls: uses of calls that ordinary programs need too.
 *
 * @module
 */

import { ERRNO } from "../ffi/errno.ts";
import type { SeccompArgument, SeccompProfile, SeccompRule } from "./seccomp_profile.ts";
import { callsOf } from "./seccomp_default.ts";

/** S_ISUID and S_ISGID. */
const SETUID_BITS = [0o4000, 0o2000];

/** O_CREAT, and the bit that O_TMPFILE has beside O_DIRECTORY: without them there is no mode. */
const CREATING = [0o100, 0o2000_0000];

/** AF_UNIX. */
const UNIX = 1;

/** SOCK_DGRAM, and SOCK_RAW, which is the same for AF_UNIX. */
const DATAGRAMS = [2, 3];

/** What the kernel reads of an `int`; and of the type of a socket, beside its flags. */
const INT = 0xffff_ffff, SOCK_TYPE_MASK = 0xf;

/** The groups, by the names that `deny` takes. */
export const SECCOMP_DENIALS = {
  /**
   * Files with the bits of set-user-ID and set-group-ID, as RestrictSUIDSGID= of systemd.exec(5)
   * denies them. A filter cannot see the mode of openat2(2): programs then use openat(2).
   */
  "@setuid-files": (): readonly SeccompRule[] => [
    ...SETUID_BITS.flatMap((bit) => [
      deny(["chmod", "fchmod", "creat", "mknod"], has(1, bit)),
      deny(["fchmodat", "fchmodat2", "mknodat"], has(2, bit)),
      ...CREATING.flatMap((flag) => [
        deny(["open"], has(1, flag), has(2, bit)),
        deny(["openat"], has(2, flag), has(3, bit)),
      ]),
    ]),
    { ...deny(["openat2"]), errnoRet: ERRNO.ENOSYS },
  ],
  /**
   * Unix sockets, but for connected pairs: with the kernel's own errors for a family, and for a type
   * of it, that it does not have. Datagrams can be sent from one of a pair to any other
   * socket by its path, so that only streams are left.
   */
  "@unix-sockets": (): readonly SeccompRule[] => [
    { ...deny(["socket"], is(0, INT, UNIX)), errnoRet: ERRNO.EAFNOSUPPORT },
    ...DATAGRAMS.map((type): SeccompRule => ({
      ...deny(["socketpair"], is(0, INT, UNIX), is(1, SOCK_TYPE_MASK, type)),
      errnoRet: ERRNO.ESOCKTNOSUPPORT,
    })),
  ],
  /**
   * Modes, owners, times and extended attributes of files, also of those that can only be read:
   * Landlock denies none of it (landlock(7), "Current limitations").
   */
  "@attributes": (): readonly SeccompRule[] => [
    deny(callsOf(ATTRIBUTES)),
    ...ATTRIBUTE_REQUESTS.map((request) => deny(["ioctl"], is(1, INT, request))),
  ],
  /** What btrfs makes and removes in a directory that can only be read, without asking Landlock. */
  "@subvolumes": (): readonly SeccompRule[] =>
    SUBVOLUME_REQUESTS.map((request) => deny(["ioctl"], is(1, INT, request))),
  /**
   * What is known to all processes of a user or of the machine outside of an ipc namespace: shared
   * memory, semaphores and queues.
   */
  "@ipc": (): readonly SeccompRule[] => [deny(callsOf(IPC))],
  /** Limits of other processes of the user, by which those can be ended (RLIMIT_CPU). */
  "@limits-of-others": (): readonly SeccompRule[] => [
    // Whatever the upper half of the pid is: a rule that denies must not let anything pass.
    deny(["prlimit64"], { index: 0, value: 0, op: "SCMP_CMP_NE" }),
  ],
} as const;

const ATTRIBUTES = `
  chmod fchmod fchmodat fchmodat2 chown fchown fchownat lchown chown32 fchown32 lchown32 utime utimes
  utimensat utimensat_time64 futimesat setxattr lsetxattr fsetxattr setxattrat removexattr
  lremovexattr fremovexattr removexattrat file_setattr
`;

/**
 * What the owner of a file may set by a descriptor that only reads. FS_IOC_SETFLAGS and SETVERSION, the
 * same of 32-bit programs, FS_IOC_FSSETXATTR (linux/fs.h); EXT4_IOC_SETVERSION (fs/ext4/ext4.h);
 * FS_IOC_ENABLE_VERITY, after which nobody can change the file (linux/fsverity.h);
 * FS_IOC_SET_ENCRYPTION_POLICY (linux/fscrypt.h); FAT_IOCTL_SET_ATTRIBUTES (linux/msdos_fs.h);
 * BTRFS_IOC_SUBVOL_SETFLAGS and SET_RECEIVED_SUBVOL (linux/btrfs.h).
 */
const ATTRIBUTE_REQUESTS = [
  0x4008_6602,
  0x4004_6602,
  0x4008_7602,
  0x4004_7602,
  0x401c_5820,
  0x4008_6604,
  0x4004_6604,
  0x4080_6685,
  0x800c_6613,
  0x4004_7211,
  0x4008_941a,
  0xc0c8_9425,
];

/**
 * BTRFS_IOC_SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY, and the second versions (linux/btrfs.h).
 */
const SUBVOLUME_REQUESTS = [
  0x5000_9401,
  0x5000_940e,
  0x5000_940f,
  0x5000_9417,
  0x5000_9418,
  0x5000_943f,
];

const IPC = `
  shmget shmat shmctl shmdt semget semop semtimedop semtimedop_time64 semctl msgget msgsnd msgrcv
  msgctl mq_open mq_unlink
`;

/** Returns the profile with these denied, whatever it allows: calls, groups of them, or uses. */
export function denyMore(profile: SeccompProfile, more: readonly string[]): SeccompProfile {
  if (more.length === 0) return profile;
  const denials: Readonly<Record<string, () => readonly SeccompRule[]>> = SECCOMP_DENIALS;
  const rules = more.flatMap((name) => denials[name]?.() ?? deny(callsOf(name)));
  return { ...profile, syscalls: [...rules, ...profile.syscalls ?? []] };
}

function deny(names: readonly string[], ...args: readonly SeccompArgument[]): SeccompRule {
  return { names, action: "SCMP_ACT_ERRNO", args };
}

function has(index: number, bits: number): SeccompArgument {
  return is(index, bits, bits);
}

function is(index: number, mask: number, value: number): SeccompArgument {
  return { index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" };
}
