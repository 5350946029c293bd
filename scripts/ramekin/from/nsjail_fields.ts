/**
 * The fields of a configuration of nsjail, and what each is here.
 *
 * @module
 */

/** What a field is: read by the translation, about nsjail itself, or named as no recipe has it. */
export type NsjailField = "read" | "none" | { readonly lost: string };

const RUNS = { lost: "a script runs a recipe as often as it likes, and listens" };
const PERSONALITY = { lost: "no step sets a personality; setarch(8) does" };
const SECCOMP = { lost: "a policy of kafel; seccomp() takes rules as JSON" };
const GROUP = { lost: "the group is one that ramekin finds: limits()" };
const NETWORK = {
  lost: "macvlan(), veth() or userNetwork() make a network, with address() and route()",
};

/** Every field of NsJailConfig of nsjail 3.4 and before. */
export const NSJAIL_FIELDS: Readonly<Record<string, NsjailField>> = {
  name: "none",
  description: "none",
  mode: "read",
  chroot_dir: "read",
  is_root_rw: "read",
  hostname: "read",
  cwd: "read",
  no_pivotroot: { lost: "a root of a recipe is one of pivotRoot()" },
  port: RUNS,
  bindhost: RUNS,
  max_conns: RUNS,
  max_conns_per_ip: RUNS,
  time_limit: "read",
  max_cpus: { lost: 'limits({ cpuset: "0" }) takes the processors' },
  daemon: RUNS,
  log_fd: "none",
  log_file: "none",
  log_level: "none",
  keep_env: "read",
  envar: "read",
  keep_caps: "read",
  cap: "read",
  silent: { lost: 'stdin, stdout and stderr of a command take "null"' },
  stderr_to_null: { lost: 'stderr of a command takes "null"' },
  skip_setsid: "read",
  pass_fd: { lost: "fds of a command takes descriptors" },
  disable_no_new_privs: "read",
  forward_signals: { lost: "container.kill() sends signals" },
  disable_tsc: { lost: "no step hides the time stamp counter" },
  oom_score_adj: "read",
  nice_level: { lost: "nice(1) runs a program with another priority" },
  rlimit_as: "read",
  rlimit_as_type: "read",
  rlimit_core: "read",
  rlimit_core_type: "read",
  rlimit_cpu: "read",
  rlimit_cpu_type: "read",
  rlimit_fsize: "read",
  rlimit_fsize_type: "read",
  rlimit_nofile: "read",
  rlimit_nofile_type: "read",
  rlimit_nproc: "read",
  rlimit_nproc_type: "read",
  rlimit_stack: "read",
  rlimit_stack_type: "read",
  rlimit_memlock: "read",
  rlimit_memlock_type: "read",
  rlimit_rtprio: "read",
  rlimit_rtprio_type: "read",
  rlimit_msgqueue: "read",
  rlimit_msgqueue_type: "read",
  disable_rl: "read",
  persona_addr_compat_layout: PERSONALITY,
  persona_mmap_page_zero: PERSONALITY,
  persona_read_implies_exec: PERSONALITY,
  persona_addr_limit_3gb: PERSONALITY,
  persona_addr_no_randomize: PERSONALITY,
  clone_newnet: "read",
  clone_newuser: "read",
  clone_newns: "read",
  clone_newpid: "read",
  clone_newipc: "read",
  clone_newuts: "read",
  clone_newcgroup: "read",
  clone_newtime: "read",
  uidmap: "read",
  gidmap: "read",
  mount_proc: "read",
  mount: "read",
  seccomp_policy_file: SECCOMP,
  seccomp_string: SECCOMP,
  seccomp_log: SECCOMP,
  cgroup_mem_max: "read",
  cgroup_mem_memsw_max: { lost: "limits({ swap }) is of swap alone" },
  cgroup_mem_swap_max: "read",
  cgroup_mem_mount: GROUP,
  cgroup_mem_parent: GROUP,
  cgroup_pids_max: "read",
  cgroup_pids_mount: GROUP,
  cgroup_pids_parent: GROUP,
  cgroup_net_cls_classid: { lost: "no step sets the class of packets" },
  cgroup_net_cls_mount: GROUP,
  cgroup_net_cls_parent: GROUP,
  cgroup_cpu_ms_per_sec: "read",
  cgroup_cpu_mount: GROUP,
  cgroup_cpu_parent: GROUP,
  cgroupv2_mount: GROUP,
  use_cgroupv2: "none",
  detect_cgroupv2: "none",
  iface_no_lo: "read",
  iface_own: { lost: "moveInterface() moves an interface" },
  macvlan_iface: NETWORK,
  macvlan_vs_ip: NETWORK,
  macvlan_vs_nm: NETWORK,
  macvlan_vs_gw: NETWORK,
  macvlan_vs_ma: NETWORK,
  macvlan_vs_mo: NETWORK,
  user_net: NETWORK,
  exec_bin: "read",
};

/** The fields of a mount, those of an id map, and those of the program. */
export const INNER_FIELDS: Readonly<Record<string, Readonly<Record<string, NsjailField>>>> = {
  mount: {
    src: "read",
    prefix_src_env: { lost: "a recipe has no variables of the environment in paths" },
    src_content: "read",
    dst: "read",
    prefix_dst_env: { lost: "a recipe has no variables of the environment in paths" },
    fstype: "read",
    options: "read",
    is_bind: "read",
    rw: "read",
    is_dir: "none",
    mandatory: "read",
    is_symlink: "read",
    nosuid: "read",
    nodev: "read",
    noexec: "read",
  },
  uidmap: { inside_id: "read", outside_id: "read", count: "read", use_newidmap: "none" },
  gidmap: { inside_id: "read", outside_id: "read", count: "read", use_newidmap: "none" },
  exec_bin: {
    path: "read",
    arg: "read",
    arg0: { lost: "it is the option argv0 of recipe.command()" },
    exec_fd: { lost: "a program is executed by its path" },
  },
};

/** A limit of resources: its name, what a unit of it is, and its value without one. */
export interface NsjailLimit {
  readonly unit: number;
  readonly usual: number | "soft" | "hard";
}

const MIB = 1024 * 1024;

/** The limits, by the names of prlimit(1). */
export const NSJAIL_LIMITS: Readonly<Record<string, NsjailLimit>> = {
  as: { unit: MIB, usual: 4096 },
  core: { unit: MIB, usual: 0 },
  cpu: { unit: 1, usual: 600 },
  fsize: { unit: MIB, usual: 1 },
  nofile: { unit: 1, usual: 32 },
  nproc: { unit: 1, usual: "soft" },
  stack: { unit: MIB, usual: "soft" },
  memlock: { unit: 1024, usual: "soft" },
  rtprio: { unit: 1, usual: "soft" },
  msgqueue: { unit: 1, usual: "soft" },
};
