/**
 * A recipe from a configuration of nsjail.
 *
 * @module
 */

import {
  bind,
  bounds,
  capabilities,
  type CapabilityName,
  chdir,
  clearEnv,
  hostname,
  type IdRange,
  limits,
  linux,
  loopback,
  mapCurrentUser,
  mapIds,
  mkdir,
  mount,
  type NamespaceKind,
  newSession,
  noNewPrivileges,
  oomScoreAdj,
  pivotRoot,
  proc,
  remount,
  type ResourceName,
  rlimit,
  setEnv,
  type Step,
  symlink,
  tmpfs,
  unshare,
  writeFile,
} from "../../../mod.ts";
import { normalize, parentOf } from "../../../recipe/path.ts";
import { INNER_FIELDS, NSJAIL_FIELDS, NSJAIL_LIMITS, type NsjailField } from "./nsjail_fields.ts";
import { type Message, readMessage, type Value } from "./text_proto.ts";
import { type Translation, wholeNumber } from "./translation.ts";

/** Where the root is put together: a path that no mount is of. */
const PLACE = "/mnt";

/** The namespaces, with the fields that leave one out, and whether it is there without. */
const KINDS: readonly (readonly [NamespaceKind, string, boolean])[] = [
  ["user", "clone_newuser", true],
  ["mount", "clone_newns", true],
  ["pid", "clone_newpid", true],
  ["uts", "clone_newuts", true],
  ["ipc", "clone_newipc", true],
  ["net", "clone_newnet", true],
  ["cgroup", "clone_newcgroup", true],
  ["time", "clone_newtime", false],
];

/**
 * Translates the text of a configuration.
 *
 * @throws {UsageError} for a text that is none
 */
export function fromNsjail(text: string): Translation {
  const config = readMessage(text);
  const lost = lostOf(config);
  const [exec] = messagesOf(config, "exec_bin");
  const path = exec && textOf(exec, "path");
  return {
    steps: stepsOf(config, lost),
    program: path === undefined ? [] : [path, ...textsOf(exec!, "arg")],
    lost,
  };
}

/** What no recipe says, by the tables of fields. */
function lostOf(config: Message): string[] {
  const lost: string[] = [];
  const check = (message: Message, fields: Readonly<Record<string, NsjailField>>, of: string) => {
    for (const [name, values] of message) {
      const field = fields[name];
      const shown = `${of}${name}${typeof values[0] === "string" ? `: ${values[0]}` : ""}`;
      if (field === undefined) lost.push(`${shown}: it is no field that is known here`);
      else if (typeof field === "object") lost.push(`${shown}: ${field.lost}`);
      for (const value of values) {
        const inner = INNER_FIELDS[name];
        if (typeof value !== "string" && inner !== undefined) check(value, inner, `${name}.`);
      }
    }
  };
  check(config, NSJAIL_FIELDS, "");
  const mode = textOf(config, "mode");
  if (mode === "LISTEN" || mode === "RERUN") {
    lost.push(`mode: ${mode}: a script runs a recipe as often as it likes, and listens`);
  }
  return lost;
}

function stepsOf(config: Message, lost: string[]): readonly Step[] {
  const kinds = KINDS.filter(([, field, usual]) => flagOf(config, field, usual)).map(([kind]) =>
    kind
  );
  const has = (kind: NamespaceKind) => kinds.includes(kind);
  return [
    ...(kinds.length === 0 ? [] : [unshare(...kinds)]),
    ...(has("user") ? [mapsOf(config, lost)] : []),
    ...(has("net") && !flagOf(config, "iface_no_lo", false) ? [loopback()] : []),
    ...(has("uts") ? [hostname(textOf(config, "hostname") ?? "NSJAIL")] : []),
    ...(has("mount") ? rootOf(config) : []),
    ...groupOf(config),
    ...(flagOf(config, "skip_setsid", false) ? [] : [newSession()]),
    chdir(textOf(config, "cwd") ?? "/"),
    ...programOf(config),
    ...(flagOf(config, "disable_rl", false) ? [] : limitsOf(config)),
    ...environmentOf(config),
  ];
}

/** The privileges and the time of the program. */
function programOf(config: Message): readonly Step[] {
  const all = Object.keys(linux.CAPABILITIES) as CapabilityName[];
  const named = textsOf(config, "cap") as CapabilityName[];
  const seconds = numberOf(config, "time_limit") ?? 600;
  const oom = textOf(config, "oom_score_adj");
  return [
    ...(oom === undefined ? [] : [oomScoreAdj(Number(oom))]),
    ...(seconds === 0 ? [] : [bounds({ timeout: seconds * 1000 })]),
    capabilities({ keep: flagOf(config, "keep_caps", false) ? all : named }),
    ...(flagOf(config, "disable_no_new_privs", false) ? [] : [noNewPrivileges()]),
  ];
}

function mapsOf(config: Message, lost: string[]): Step {
  const [uids, gids] = [rangesOf(config, "uidmap", lost), rangesOf(config, "gidmap", lost)];
  if (uids.length + gids.length === 0) return mapCurrentUser();
  const own = { uid: linux.geteuid(), gid: linux.getegid() };
  const one = (id: number): IdRange[] => [{ inside: id, outside: id, count: 1 }];
  return mapIds({
    uids: uids.length > 0 ? uids : one(own.uid),
    gids: gids.length > 0 ? gids : one(own.gid),
    ...([...uids, ...gids].every(({ count }) => count === 1) && { setgroups: "deny" as const }),
  });
}

function rangesOf(config: Message, field: "uidmap" | "gidmap", lost: string[]): readonly IdRange[] {
  const own = field === "uidmap" ? linux.geteuid() : linux.getegid();
  return messagesOf(config, field).flatMap((map) => {
    const id = (name: string) => {
      const text = textOf(map, name) ?? "";
      return text === "" ? own : wholeNumber(text);
    };
    const [inside, outside] = [id("inside_id"), id("outside_id")];
    const count = numberOf(map, "count") ?? 1;
    if (inside !== undefined && outside !== undefined) return [{ inside, outside, count }];
    lost.push(`${field}: names are those of this machine; give the ids`);
    return [];
  });
}

/** The steps that put the root together and enter it. */
function rootOf(config: Message): readonly Step[] {
  const directory = textOf(config, "chroot_dir");
  const writable = flagOf(config, "is_root_rw", false);
  const mounts = messagesOf(config, "mount");
  const whole = mounts.find((one) => normalize(textOf(one, "dst") ?? "/") === "/");
  const isOwn = directory === undefined && whole === undefined;
  return [
    ...(directory !== undefined
      ? [bind(directory, PLACE, { readOnly: !writable })]
      : whole === undefined
      ? [tmpfs(PLACE, { mode: 0o755 })]
      : []),
    ...mounts.flatMap((one) => mountOf(one, isOwn)),
    // Now that what is mounted in them has its place.
    ...mounts.filter(isClosed).map((one) => remount(placeOf(one), "ro", { keep: true })),
    ...(flagOf(config, "mount_proc", false)
      ? [proc(`${PLACE}/proc`, writable ? {} : { options: "ro" })]
      : []),
    pivotRoot(PLACE),
    ...(isOwn && !writable ? [remount("/", "ro", { keep: true })] : []),
  ];
}

function placeOf(one: Message): string {
  const path = normalize(textOf(one, "dst") ?? "/");
  return path === "/" ? PLACE : PLACE + path;
}

/** Whether it is an empty directory in memory that cannot be changed. */
function isClosed(one: Message): boolean {
  const isTmpfs = textOf(one, "fstype") === "tmpfs" && !flagOf(one, "is_bind", false);
  return isTmpfs && placeOf(one) !== PLACE && !flagOf(one, "rw", false);
}

function mountOf(one: Message, isOwn: boolean): readonly Step[] {
  const at = placeOf(one);
  const source = textOf(one, "src") ?? "";
  const content = textOf(one, "src_content");
  const isWritable = flagOf(one, "rw", false);
  const parent = isOwn && parentOf(at) !== PLACE ? [mkdir(parentOf(at))] : [];
  if (flagOf(one, "is_symlink", false)) return [...parent, symlink(source, at)];
  if (content !== undefined) return [...parent, writeFile(at, content, { mode: 0o644 })];
  const restricted = (["nosuid", "nodev", "noexec"] as const).filter((name) =>
    flagOf(one, name, false)
  );
  if (flagOf(one, "is_bind", false)) {
    return [bind(source, at, {
      readOnly: !isWritable,
      ...(!flagOf(one, "mandatory", true) && { optional: true }),
      restrict: restricted,
    })];
  }
  const type = textOf(one, "fstype") ?? "tmpfs";
  const options = [isWritable ? "" : "ro", ...restricted, textOf(one, "options") ?? ""]
    .filter((text) => text !== "").join(",");
  const more = options === "" ? {} : { options };
  if (type === "proc") return [proc(at, more)];
  // What else is mounted in it needs it to be writable until then.
  if (type === "tmpfs") {
    const [, ...others] = isWritable ? ["", options] : options.split(",");
    const kept = others.filter((text) => text !== "").join(",");
    return [tmpfs(at, { mode: 0o755, ...(kept !== "" && { options: kept }) })];
  }
  return [mount(source === "" ? type : source, at, { type, ...more })];
}

/** The limits of a control group. */
function groupOf(config: Message): readonly Step[] {
  const [memory, pids] = [numberOf(config, "cgroup_mem_max"), numberOf(config, "cgroup_pids_max")];
  const [swap, cpu] = [
    textOf(config, "cgroup_mem_swap_max"),
    numberOf(config, "cgroup_cpu_ms_per_sec"),
  ];
  const group = {
    ...(memory !== undefined && memory > 0 && { memory }),
    ...(swap !== undefined && Number(swap) >= 0 && { swap: Number(swap) }),
    ...(pids !== undefined && pids > 0 && { pids }),
    ...(cpu !== undefined && cpu > 0 && { cpus: cpu / 1000 }),
  };
  return Object.keys(group).length === 0 ? [] : [limits(group)];
}

function limitsOf(config: Message): readonly Step[] {
  return Object.entries(NSJAIL_LIMITS).flatMap(([name, { unit, usual }]) => {
    const kind = textOf(config, `rlimit_${name}_type`) ?? "VALUE";
    const value = numberOf(config, `rlimit_${name}`) ?? usual;
    if (kind === "INF") return [rlimit(name as ResourceName, "unlimited")];
    // The limits of the caller stay.
    if (kind !== "VALUE" || typeof value !== "number") return [];
    return [rlimit(name as ResourceName, value * unit)];
  });
}

function environmentOf(config: Message): readonly Step[] {
  const pairs = textsOf(config, "envar").map((text) => text.split(/=(.*)/s));
  const set = Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
  const kept = pairs.flatMap(([name, value]) => value === undefined ? [name!] : []);
  return [
    ...(flagOf(config, "keep_env", false) ? [] : [clearEnv(kept.length > 0 ? { keep: kept } : {})]),
    ...(Object.keys(set).length === 0 ? [] : [setEnv(set)]),
  ];
}

function textsOf(message: Message, name: string): readonly string[] {
  return (message.get(name) ?? []).filter((value): value is string => typeof value === "string");
}

function textOf(message: Message, name: string): string | undefined {
  return textsOf(message, name).at(-1);
}

function numberOf(message: Message, name: string): number | undefined {
  const text = textOf(message, name);
  return text === undefined ? undefined : wholeNumber(text);
}

function flagOf(message: Message, name: string, usual: boolean): boolean {
  const text = textOf(message, name);
  return text === undefined ? usual : ["true", "t", "True", "1"].includes(text);
}

function messagesOf(message: Message, name: string): readonly Message[] {
  const isMessage = (value: Value): value is Message => typeof value !== "string";
  return (message.get(name) ?? []).filter(isMessage);
}
