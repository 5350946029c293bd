/**
 * The installed command: a shell script with absolute paths, as engines call it with next to no
 * environment. It answers what is small by itself, as Deno's start takes longer than that.
 *
 * @module
 */

import { ASK } from "./ask_bytes.ts";
import { buildOf } from "./build.ts";
import { REMOVE } from "./remove_bytes.ts";

/** What the command is made with. */
export interface InstalledCommand {
  /** Deno's executable. */
  readonly deno: string;
  /** The runtime in one file. */
  readonly module: string;
  /** A directory for Deno's cache. */
  readonly cache: string;
}

/** A file of the command. */
export interface CommandFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Returns the executables that the command consists of, itself first. */
export function commandFiles(path: string, command: InstalledCommand): readonly CommandFile[] {
  const [remover, asker] = [`${path}-remove`, `${path}-ask`];
  const build = buildOf(command.module);
  const text = commandText({ ...command, path, remover, asker, build });
  const architecture = Deno.build.arch as keyof typeof REMOVE;
  return [
    { path, bytes: new TextEncoder().encode(text) },
    { path: remover, bytes: Uint8Array.fromBase64(REMOVE[architecture]) },
    { path: asker, bytes: Uint8Array.fromBase64(ASK[architecture]) },
  ];
}

/** The command, with what lies beside it. */
export interface CommandPaths extends InstalledCommand {
  readonly path: string;
  /** What removes files. */
  readonly remover: string;
  /** The client of the planner. */
  readonly asker: string;
  /** What the planner has to be of. */
  readonly build: string;
}

/** Returns the text of the command. */
export function commandText(command: CommandPaths): string {
  const { deno, module, cache, path, remover, asker, build } = command;
  const words = { deno, module, cache, command: path, remover, asker };
  const given: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(words).map(([name, word]) => [name, quoted(word)])),
    build,
    v8: V8_FLAGS.join(","),
  };
  return DISPATCHER.replace(/@(\w+)@/g, (whole, name: string) => given[name] ?? whole);
}

/**
 * A call takes a few hundredths of a second, and runs most functions once. What V8 does to make later
 * ones faster does not pay: code is not compiled further, and what is not used any more is not sought
 * before there are 16 MiB of it.
 */
const V8_FLAGS: readonly string[] = [
  "--no-sparkplug",
  "--no-maglev",
  "--no-opt",
  "--min-semi-space-size=16",
];

/** A word of the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * `start`, `state`, `kill` and `delete` of usual containers, by what state.ts describes. All else, and
 * whatever does not look as expected, is left to Deno.
 */
const DISPATCHER = `#!/bin/sh
# The OCI runtime of Ramekin; made by "ramekin oci install".
set -f
remover=@remover@
asker=@asker@
v8=--v8-flags=@v8@
deno() {
  DENO_DIR=@cache@ DENO_NO_UPDATE_CHECK=1 NO_COLOR=1 \\
    exec @deno@ run --quiet --no-config --no-lock --no-prompt --no-remote --allow-all \\
    $v8 @module@ "$@"
}
# The client of the planner calls so where that does not answer.
planned=1
if [ "$1" = --without-planner ]; then planned=; shift; fi

root= verb= id= signal=TERM force= plain=1
want= words=0
for word; do
  if [ -n "$want" ]; then
    case $want in
    root) root=$word ;;
    esac
    want=
    continue
  fi
  case $verb:$word in
  :--root) want=root ;;
  :--root=*) root=\${word#*=} ;;
  :--log | :--log-format | :--log-level | :--cgroup-manager | :--rootless) want=other ;;
  :--log=* | :--log-format=* | :--log-level=* | :--cgroup-manager=* | :--rootless=* | :--debug) ;;
  :-*) plain= ;;
  :*) verb=$word ;;
  delete:--force | delete:-f) force=1 ;;
  *:-*) plain= ;;
  *)
    words=$((words + 1))
    if [ $words = 1 ]; then id=$word; else signal=$word; fi
    ;;
  esac
done

case $verb:$words in
start:1 | state:1 | delete:1 | kill:1 | kill:2) ;;
*) plain= ;;
esac
case $id in
'' | . | .. | *[!A-Za-z0-9_+.-]*) plain= ;;
esac
# A runtime directory of somebody else's, as after su(1), would have others' words obeyed.
run=/run
if [ -O "$XDG_RUNTIME_DIR" ]; then run=$XDG_RUNTIME_DIR; fi
: "\${root:=$run/ramekin}"
if [ -z "$plain" ]; then
  case $verb$planned in
  planner*) v8= ;; # its code is run often
  create1)
    [ -S "$run/ramekin-planner" ] && [ -x "$asker" ] && [ -z "$NOTIFY_SOCKET$LISTEN_FDS" ] &&
      exec "$asker" "$run/ramekin-planner" @build@ @command@ --without-planner --root "$root" "$@"
    ;;
  esac
  deno "$@"
fi
here=$root/$id
[ -f "$here/state.json" ] && [ -f "$here/process" ] && [ -f "$here/freezers" ] &&
  [ ! -e "$here/hooks" ] && [ -x "$remover" ] || {
  # Engines delete once more what is gone.
  [ "$verb$force" = delete1 ] && [ ! -e "$here" ] && exit 0
  deno "$@"
}

# Sets status, and pid to 0 if the first process has ended.
look() {
  read -r pid started < "$here/process"
  status=stopped
  stat=
  # The name in parentheses may have blanks and line ends: what follows is in the last line.
  if [ -r "/proc/$pid/stat" ]; then
    while IFS= read -r line; do stat=$line; done < "/proc/$pid/stat" 2> /dev/null
  fi
  if [ -z "$stat" ]; then pid=0; return; fi
  set -- \${stat##*) }
  case $1:\${20} in
  [ZX]:*) pid=0 ;;
  *:"$started") status=running ;;
  *) pid=0 ;;
  esac
  [ $pid != 0 ] || return
  [ -p "$here/exec.fifo" ] && status=created
  while read -r thawed file; do
    [ -f "$file" ] && read -r word < "$file" && [ "$word" != "$thawed" ] && status=paused
  done < "$here/freezers"
}

# The control groups first: while one is in use, all else stays.
remove_all() {
  set --
  while read -r group; do set -- "$@" "$group"; done < "$here/cgroups"
  set +f
  "$remover" "$@" "$here"/* "$here"
}

look
case $verb in
state)
  while IFS= read -r line; do
    printf '%s\\n' "$line"
    case $line in
    '  "id":'*) printf '  "pid": %s,\\n  "status": "%s",\\n' "$pid" "$status" ;;
    esac
  done < "$here/state.json"
  exit 0
  ;;
start)
  [ $status = created ] || deno "$@"
  # Opened for both, so that it does not wait for a process that has ended meanwhile.
  exec 3<> "$here/exec.fifo" && echo >&3 && exec "$remover" "$here/exec.fifo"
  exit
  ;;
kill)
  [ $status = running ] || [ $status = created ] || deno "$@"
  kill -s "\${signal#SIG}" "$pid" 2> /dev/null && exit 0
  deno "$@"
  ;;
delete)
  [ $status = stopped ] || deno "$@"
  remove_all && exit 0
  deno "$@"
  ;;
esac
deno "$@"
`;

/** A word of a unit (systemd.service(5)). */
function unitWord(word: string): string {
  return JSON.stringify(word.replaceAll("%", "%%").replaceAll("$", "$$$$"));
}

/**
 * What engines have to be told about an installed runtime, for each of them. podman (4.3.1) reads
 * runtime_supports_nocgroup, where containers.conf(5) has an "s" at its end.
 */
export function engineLines(command: string): string {
  return `podman, in containers.conf:

  [engine]
  runtime = "ramekin"
  runtime_supports_json = ["ramekin"]
  runtime_supports_nocgroup = ["ramekin"]
  cgroup_manager = "cgroupfs"
  [engine.runtimes]
  ramekin = [${JSON.stringify(command)}]

containerd, in config.toml, for Kubernetes:

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.ramekin]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.ramekin.options]
  BinaryName = ${JSON.stringify(command)}
  SystemdCgroup = false

CRI-O, in crio.conf:

  [crio.runtime]
  cgroup_manager = "cgroupfs"
  conmon_cgroup = "pod"
  [crio.runtime.runtimes.ramekin]
  runtime_path = ${JSON.stringify(command)}
  runtime_type = "oci"

Kubernetes, by kubectl apply -f:

  apiVersion: node.k8s.io/v1
  kind: RuntimeClass
  metadata: { name: ramekin }
  handler: ramekin

docker, in daemon.json:

  { "runtimes": { "ramekin": { "path": ${JSON.stringify(command)} } },
    "exec-opts": ["native.cgroupdriver=cgroupfs"] }

The planner, which need not run, as a service of systemd:

  [Service]
  ExecStart=${unitWord(command)} planner
  [Install]
  WantedBy=multi-user.target
`;
}
