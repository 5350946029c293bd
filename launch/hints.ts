/**
 * What to do about a system call of a container that has failed. The host is asked only now: a
 * launch that succeeds pays nothing for it.
 *
 * @module
 */

import type { ErrnoName } from "../ffi/errno.ts";
import { shortageHint } from "../ffi/engine/failure.ts";
import type { PlannedState } from "../plan/planned_state.ts";
import { readSetting } from "../host/settings.ts";
import { limitSetting, NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";

/** What a hint is made of. */
interface Failure {
  /** The call as C would write it, to look for names in. */
  readonly text: string;
  readonly container: PlannedState;
}

type Hint = (failure: Failure) => string | undefined;

/** The mend of a failed call, told by its name and its text, where there is a likely one. */
export function hintFor(
  syscall: string,
  text: string,
  code: ErrnoName | undefined,
  container: PlannedState,
): string | undefined {
  if (code === undefined) return undefined;
  const failure = { text, container };
  if (syscall === "clone3") return hintFor("clone", text, code, container);
  return HINTS[`${syscall} ${code}`]?.(failure) ?? HINTS[code]?.(failure) ?? shortageHint(code);
}

const HINTS: Readonly<Record<string, Hint>> = {
  ENOSYS: ({ text }) => {
    const since = SINCE[text.slice(0, text.indexOf("("))];
    return since === undefined
      ? "this kernel, or a seccomp filter around this process, does not have the call"
      : `the call needs Linux ${since}, and no seccomp filter that hides it`;
  },
  "clone EAGAIN": () =>
    "there are as many processes as there may be: of this user (ulimit -u), or in the cgroup",
  "clone EPERM": namespacesDenied,
  "clone EACCES": () => "this user may not move processes into the container's control group",
  "unshare EPERM": namespacesDenied,
  "clone ENOSPC": namespacesUsedUp,
  "unshare ENOSPC": namespacesUsedUp,
  "clone EUSERS": namespacesUsedUp,
  "unshare EUSERS": namespacesUsedUp,
  "clone EINVAL": namespaceUnknown,
  "unshare EINVAL": namespaceUnknown,
  "write EPERM": ({ text, container }) =>
    text.includes("write(setting,")
      ? SETTING_DENIED
      : text.includes('"monotonic ') || text.includes('"boottime ')
      ? appArmor() ?? needsPrivilege(container)
      : appArmor() ??
        (text.includes("/proc/") || container.unshared.has("user")
          ? "the kernel refuses the map: an ordinary user may map the own id alone, and others with " +
            "newuidmap and /etc/subuid; and root's id is mapped by nobody without CAP_SETFCAP"
          : undefined),
  "openat EACCES": ({ text, container }) => {
    if (isSetting(text)) return SETTING_DENIED;
    if (text.includes("/proc/self/") && container.exposed) {
      return "a container that joins others is closed to all but root while it is made, also to " +
        "itself; do this in a second recipe, run in there";
    }
    if (/\/proc\/\w+\/(uid_map|gid_map|setgroups)/.test(text)) return appArmor();
    if (text.includes("cgroup.procs")) return cgroupDenied();
    return isOfProcess(text) ? otherUsers() : unsearchable(text);
  },
  // The kernel itself denies nobody these.
  "close_range EPERM": () => FILTERED,
  "openat2 EPERM": () => FILTERED,
  "pidfd_open EPERM": () => FILTERED,
  "pidfd_open ESRCH": () => "there is no such process, or not any more",
  "setns ESRCH": () => "the process has ended",
  "setns EPERM": ({ text }) =>
    text.includes("CLONE_NEWUSER")
      ? "only who has made a user namespace, or is privileged, may join it"
      : "this takes CAP_SYS_ADMIN in the user namespace that the namespaces belong to: join that " +
        'too, join(target, "user", ...)',
  "setns EINVAL": ({ text }) =>
    text.includes("CLONE_NEWUSER")
      ? "the user namespace is the container's already, or the file is no user namespace"
      : text.includes("CLONE_NEWPID")
      ? "a pid namespace can be joined from one above it only; or the file is no pid namespace"
      : "the file is no namespace of this kind",
  "write EACCES": ({ text }) => text.includes("cgroup") ? cgroupDenied() : undefined,
  "openat ENOENT": ({ text }) => {
    if (text.includes("timens_offsets")) return "this kernel has no time namespaces (Linux 5.6)";
    if (text.includes("/proc/self/")) {
      return "there is no /proc here; Ramekin needs it to be mounted";
    }
    return isSetting(text) ? SETTING_MISSING : missingPlace(text);
  },
  "openat2 ENOENT": ({ text }) => isSetting(text) ? SETTING_MISSING : missingPlace(text),
  "openat2 ENOTDIR": ({ text }) => isWorkingDirectory(text) ? "it is no directory" : undefined,
  "openat2 ELOOP": ({ text }) =>
    isWorkingDirectory(text)
      ? "a link in /proc on the way leads out of the container, or there are too many links"
      : text.includes("RESOLVE_NO_SYMLINKS")
      ? "a symbolic link is on the way by now, which was not there when the grants were looked at"
      : undefined,
  "openat2 EACCES": ({ text }) => isSetting(text) ? SETTING_DENIED : unsearchable(text),
  "write EINVAL": ({ text }) =>
    text.includes("write(setting,") ? "the kernel does not take this value" : undefined,
  "openat2 EXDEV": () =>
    "a symbolic link on the way leads out of the filesystem that the recipe has mounted; make it " +
    "a relative one within it",
  "mount EPERM": ({ text, container }) => {
    if (text.includes(`"proc"`)) {
      return container.unshared.has("pid")
        ? "the kernel lets an ordinary user mount /proc only where the /proc outside is not " +
          'covered in part, as in many containers it is; bind it instead: bind("/proc")'
        : 'a new /proc needs a pid namespace: put unshare("pid") before it';
    }
    if (text.includes(`"sysfs"`)) return 'a new /sys needs a network namespace: unshare("net")';
    if (text.includes(`"mqueue"`)) return 'a new mqueue needs an ipc namespace: unshare("ipc")';
    if (text.includes("MS_REMOUNT")) {
      return "options that the mount got outside are locked; repeat those that /proc/self/mountinfo " +
        "shows for it";
    }
    return appArmor() ?? needsPrivilege(container);
  },
  "mount EACCES": () => appArmor(),
  "mount ENOENT": () => "the mount point, or the source, does not exist; mkdir() makes a directory",
  "mount ENOTDIR": () => "the mount point is no directory",
  "mount ENODEV": ({ text }) =>
    `this kernel does not know the type of filesystem (see /proc/filesystems): ${text}`,
  "mount EINVAL": ({ text }) =>
    text.includes(`"overlay"`)
      ? "an option or a directory of the overlay does not suit the kernel, which says more in " +
        "dmesg(1); in a user namespace no lower directory may have a mount of the host below it"
      : "an option does not suit the filesystem, or there is no mount at this place",
  "mount EBUSY": () => "something is mounted there already, or it is in use",
  "open_tree ENOENT": () =>
    "it does not exist where the step stands; behind pivotRoot() no file of " +
    "the host's does",
  "open_tree EINVAL": () =>
    "an ordinary user cannot leave away what is mounted below it: bind() does not with " +
    "{ recursive: true }, and a lower directory of overlay() has to have nothing mounted below it",
  "move_mount ENOENT": () =>
    "the mount point does not exist; mkdir() or writeFile() makes one where the recipe may",
  "move_mount ENOTDIR": () =>
    "a directory can be bound on a directory only, and a file on a file only",
  "move_mount EINVAL": () =>
    "a directory can be bound on a directory only, and a file on a file only",
  "move_mount EPERM": ({ container }) => appArmor() ?? needsPrivilege(container),
  "mount_setattr EPERM": ({ container }) => appArmor() ?? needsPrivilege(container),
  "umount2 EINVAL": () =>
    "nothing is mounted there, or it was mounted outside, where an ordinary user cannot take it away",
  "umount2 EBUSY": () => "it is in use; { detach: true } takes it away all the same",
  "pivot_root EINVAL": () =>
    "the root of this machine is its initial ramdisk, which cannot be taken away; or the new root " +
    "is on a shared mount",
  "symlinkat EEXIST": () => "something is there already",
  "mknodat EEXIST": () => "something is there already",
  "mknodat EPERM": ({ container }) =>
    container.unshared.has("user")
      ? "a user namespace has no right to make device files; devices() and bind() need none"
      : "making device files needs CAP_MKNOD",
  "setresuid EINVAL": unmapped,
  "setresgid EINVAL": unmapped,
  "setgroups EINVAL": unmapped,
  "setresuid EPERM": () => "changing the user needs CAP_SETUID: a recipe of root, or mapRoot()",
  "setresgid EPERM": () => "changing the group needs CAP_SETGID: a recipe of root, or mapRoot()",
  "setgroups EPERM": () =>
    'setgroups(2) is denied, or needs CAP_SETGID; in a user namespace: mapIds({ setgroups: "allow" })',
  "chdir ENOENT": () => "the directory does not exist in the container",
  "chdir ENOTDIR": () => "it is no directory",
  "chroot ENOENT": () => "the directory does not exist in the container",
  "chroot ENOTDIR": () => "it is no directory",
  "setsid EPERM": () => "the program leads a session already",
  "sethostname EPERM": ({ container }) => needsPrivilege(container),
  "setdomainname EPERM": ({ container }) => needsPrivilege(container),
  "chroot EPERM": ({ container }) =>
    container.unshared.has("user")
      ? needsPrivilege(container)
      : "this takes CAP_SYS_CHROOT; as an ordinary user, put a user namespace before it: " +
        'unshare("user"), mapRoot()',
  "pivot_root EPERM": ({ container }) => needsPrivilege(container),
  "open_tree EPERM": ({ container }) => appArmor() ?? needsPrivilege(container),
  "prlimit64 EPERM": () => "to raise a hard limit takes CAP_SYS_RESOURCE on the host itself",
  "prctl EPERM": () => "the process has not the capability that this takes, or not any more",
  "seccomp EINVAL": () => "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
  "seccomp EPERM": () => "a filter that is in force already does not allow another",
  "seccomp ENOMEM": () => "the filters that are in force are too long together",
  "landlock_restrict_self E2BIG": () =>
    "there are 16 rulesets in force already, and no more can be",
  "capset EPERM": () => "a process can only keep capabilities that it has",
  "execveat EACCES": () => "memory files may not be executed here (sysctl vm.memfd_noexec)",
  "execve ENOEXEC": () => "the file is neither a program nor a script",
  "execve E2BIG": () =>
    "arguments and environment are larger than the kernel takes (execve(2)), or than the memory " +
    "that is left for them",
  "pwrite64 ENOSPC": filesystemFull,
  "write ERANGE": () => "the clock would be before 0, or beyond what the kernel counts",
  "write ENOSPC": filesystemFull,
  "mkdirat ENOSPC": filesystemFull,
  "mknodat ENOSPC": filesystemFull,
  "openat ENOSPC": filesystemFull,
  "openat2 ENOSPC": filesystemFull,
  "symlinkat ENOSPC": filesystemFull,
  "sendfile ENOSPC": filesystemFull,
  "ioctl ENODEV": noInterface,
  "RTM_NEWLINK ENODEV": noInterface,
  "RTM_NEWLINK EEXIST": () => "an interface has this name already; choose another one",
  "RTM_NEWLINK EOPNOTSUPP": ({ text }) => {
    const [, kind] = text.split(" ");
    const bridge = text.match(/master index of (\S+)/)?.[1];
    if (bridge !== undefined) return `${bridge} is no bridge, or this kernel has no ${kind}`;
    return `this kernel has no interfaces of this kind, or has not loaded them: modprobe ${kind}`;
  },
  "RTM_NEWLINK EPERM": changesNetwork,
  "RTM_NEWADDR EPERM": changesNetwork,
  "RTM_NEWROUTE EPERM": changesNetwork,
  "RTM_NEWADDR EEXIST": () => "the interface has this address already",
  "RTM_NEWADDR EACCES": () => "IPv6 is off there (sysctl net.ipv6.conf.*.disable_ipv6)",
  "RTM_NEWROUTE EEXIST": () => "there is a route to it already",
  "RTM_NEWROUTE ENETUNREACH": gatewayOutOfReach,
  "RTM_NEWROUTE EHOSTUNREACH": gatewayOutOfReach,
  "masquerade ENOENT": noTranslation,
  "masquerade EOPNOTSUPP": noTranslation,
  "publish ENOENT": noTranslation,
  "publish EOPNOTSUPP": noTranslation,
  "socket EPROTONOSUPPORT": noTranslation,
  EROFS: () => "the filesystem can only be read there",
  ELOOP: () => "there are too many symbolic links on the way",
};

const SETTING_MISSING =
  "the kernel has no such setting in this namespace, or there is no /proc here";
const SETTING_DENIED = "this setting is not left to a container, but to root of the host";

/** Whether the call opens a setting of sysctl(8). */
function isSetting(text: string): boolean {
  return /"(\/proc\/)?sys\/(net|kernel|fs|user)\//.test(text);
}

/** The first version of Linux with each call that older ones lack. */
const SINCE: Readonly<Record<string, string>> = {
  open_tree: "5.2",
  move_mount: "5.2",
  mount_setattr: "5.12",
  openat2: "5.6",
  close_range: "5.9",
  pidfd_open: "5.3",
};

function namespacesDenied({ text, container }: Failure): string | undefined {
  if (!text.includes("CLONE_NEWUSER")) {
    // The first clone comes before every user namespace that is not its own.
    const isFirst = text.startsWith("clone") && text.includes("CLONE_NEW");
    return container.unshared.has("user") && !isFirst ? FILTERED : PRIVILEGE;
  }
  if (readSetting("/proc/sys/kernel/unprivileged_userns_clone") === 0) {
    return "ordinary users may not make user namespaces here: " +
      "sysctl -w kernel.unprivileged_userns_clone=1 allows it";
  }
  return appArmor() ??
    "user namespaces are forbidden here: in a chroot, or by a seccomp filter or security module " +
      "around this process (docker run --security-opt seccomp=unconfined ...)";
}

function otherUsers(): string {
  return "the process is another user's, or has privileges that this one has not";
}

function cgroupDenied(): string {
  return "this user may not bring processes into this cgroup: it, or one that both the old and the " +
    "new lie in, is another user's";
}

/** Whether the call opens something of /proc/PID. */
function isOfProcess(text: string): boolean {
  return /\/proc\/\d+\/|^openat\(process,/.test(text);
}

function appArmor(): string | undefined {
  return readSetting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1
    ? "AppArmor lets ordinary users do nothing in their user namespaces here: an AppArmor profile " +
      'for deno with "userns," allows it, or ' +
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    : undefined;
}

function filesystemFull(): string {
  return "the filesystem is full; give its tmpfs more { size }, or where there are too many files, " +
    '{ options: "nr_inodes=..." }';
}

/** Whether the call opens what is to be the working directory. */
function isWorkingDirectory(text: string): boolean {
  return text.includes("RESOLVE_NO_MAGICLINKS");
}

/** What is only looked up needs no more than the directories on the way (path_resolution(7)). */
function unsearchable(text: string): string | undefined {
  return text.includes("O_PATH")
    ? "a directory on the way may not be searched by this user (chmod +x), so no program of this " +
      "user's reaches it either; leave the path out"
    : undefined;
}

function missingPlace(text: string): string | undefined {
  if (isWorkingDirectory(text)) return "the directory does not exist in the container";
  if (text.includes("O_CREAT")) {
    return "the directory that it lies in does not exist; mkdir() makes it";
  }
  if (text.includes("O_DIRECTORY")) return "the directory does not exist; mkdir() makes it";
  return text.includes("O_PATH")
    ? "it does not exist; where it is the source of bind(), { optional: true } leaves the step out"
    : undefined;
}

function namespacesUsedUp({ text }: Failure): string | undefined {
  for (const kind of NAMESPACE_KINDS) {
    if (!text.includes(flagName(kind))) continue;
    const setting = limitSetting(kind);
    const limit = readSetting(`/proc/sys/user/${setting}`);
    if (limit !== undefined && limit < 16) {
      return `there may be ${limit} ${kind} namespaces here: sysctl -w user.${setting}=10000 ` +
        "allows more";
    }
  }
  return "namespaces are nested too deep (32 levels), or there are as many as the sysctls " +
    "user.max_*_namespaces allow";
}

function namespaceUnknown({ text }: Failure): string | undefined {
  const missing = NAMESPACE_KINDS.find((kind) =>
    text.includes(flagName(kind)) &&
    readSetting(`/proc/sys/user/${limitSetting(kind)}`) === undefined
  );
  return missing === undefined ? undefined : `this kernel has no ${missing} namespaces`;
}

function noInterface({ text }: Failure): string | undefined {
  if (!/SIOCGIFINDEX|RTM_/.test(text)) return undefined;
  const name = text.match(/"([^"]*)"/)?.[1];
  return `there is no interface ${name} in that network; veth(), bridge() and the like make one`;
}

function changesNetwork({ container }: Failure): string {
  return container.unshared.has("user")
    ? "the network belongs to another user namespace; join that too, as in join(target, " +
      '"user", "net")'
    : 'this takes CAP_NET_ADMIN; as an ordinary user, put "user" among the namespaces: ' +
      'unshare("user", "net"), mapRoot()';
}

function noTranslation(): string {
  return "this kernel translates no addresses by nf_tables (modprobe nf_tables nft_chain_nat " +
    "nft_masq nft_fib_inet), or not in tables that end with their script (Linux 5.12)";
}

function gatewayOutOfReach(): string {
  return "the gateway lies in no network of the container's; address() puts an interface into one";
}

function unmapped({ container }: Failure): string | undefined {
  return container.unshared.has("user")
    ? "the id is not mapped into the user namespace; mapIds() maps more than one"
    : undefined;
}

function needsPrivilege(container: PlannedState): string {
  if (!container.unshared.has("user")) return PRIVILEGE;
  return "the user namespace has no right to this, or a seccomp filter around this process forbids it";
}

const FILTERED = "a seccomp filter or security module around this process forbids it " +
  "(docker run --security-opt seccomp=unconfined ...)";

const PRIVILEGE =
  'this takes CAP_SYS_ADMIN; as an ordinary user, put "user" among the namespaces: ' +
  'unshare("user", ...), mapRoot()';

function flagName(kind: NamespaceKind): string {
  return kind === "mount" ? "CLONE_NEWNS" : `CLONE_NEW${kind.toUpperCase()}`;
}
