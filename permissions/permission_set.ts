/**
 * Compares the needs of a recipe with its permissions.
 *
 * @module
 */

import { CERTIFICATES } from "../recipe/network_files.ts";
import { isWithin } from "../recipe/path.ts";
import { shellWord } from "../recipe/shell_word.ts";
import { includesVariable } from "../recipe/variable_pattern.ts";
import { escapeControls } from "../ffi/control_characters.ts";
import { PermissionError } from "../ffi/errors.ts";
import type { NetworkService } from "../plan/builder.ts";
import { describeAccess, type HostAccess } from "../plan/access/access.ts";
import type { PermissionOptions, Permissions } from "./permissions.ts";
import { Hosts } from "../proxy/hosts.ts";
import { touches } from "../plan/mount_table.ts";
import { liveHost } from "../host/live_host.ts";
import { resolvePath } from "../host/resolve_path.ts";

/** The option that decides about a need. */
type GrantName = "read" | "write" | "net" | "env" | "run" | "sys";

/** Directories of programs and their files, in which no service listens (hier(7)). */
const SOCKETLESS = ["/bin", "/etc", "/lib", "/lib32", "/lib64", "/sbin", "/usr", ...CERTIFICATES];

/** What is denied, and the name of each list. */
const DENIALS = { read: "denyRead", write: "denyWrite", net: "denyNet", env: "denyEnv" } as const;

/** The granted permissions, with resolved paths. */
export class PermissionSet {
  readonly #options: Required<PermissionOptions>;
  readonly #paths: Readonly<Record<"read" | "write", readonly string[]>>;
  readonly #deniedPaths: Readonly<Record<"read" | "write", readonly string[]>>;

  constructor(permissions: Permissions) {
    const given = typeof permissions === "string" ? {} : permissions;
    const otherwise = permissions === "inherit" ? "inherit" : false;
    this.#options = {
      read: otherwise,
      write: otherwise,
      net: otherwise,
      env: otherwise,
      run: otherwise,
      sys: otherwise,
      denyRead: [],
      denyWrite: [],
      denyNet: [],
      denyEnv: [],
      ...given,
    };
    const { read, write, denyRead, denyWrite } = this.#options;
    this.#paths = { read: resolved(read), write: resolved(write) };
    this.#deniedPaths = { read: resolved(denyRead), write: resolved(denyWrite) };
  }

  /** What is set up in a network namespace of the container. */
  get network(): NetworkService | undefined {
    const { net } = this.#options;
    return net === "loopback" ? net : typeof net === "object" ? "proxy" : undefined;
  }

  /** The hosts of a granted list. */
  get hosts(): Hosts | undefined {
    const { net, denyNet } = this.#options;
    return typeof net === "object" ? new Hosts(net, denyNet) : undefined;
  }

  /** Whether a variable of the script's environment may be passed on. */
  hasVariable(name: string): boolean {
    const { env, denyEnv } = this.#options;
    if (includesVariable(denyEnv, name)) return false;
    if (env === "inherit") return mayScript({ name: "env", variable: name });
    return typeof env === "boolean" ? env : includesVariable(env, name);
  }

  /** Whether the need is granted. Variables always are, because others are left out silently. */
  has(need: HostAccess): boolean {
    if (this.#denialOf(need) !== undefined) return false;
    switch (need.kind) {
      case "read":
      case "write":
        return this.#hasPath(need.kind, need.path);
      case "net":
        return this.#options.net === "inherit"
          ? mayScript({ name: "net" })
          : this.#options.net === true;
      case "env":
        return true;
      case "run": {
        const { run } = this.#options;
        return typeof run !== "object" || run.includes(need.program);
      }
      case "kernel":
      case "lifetime":
        return this.#holds("sys");
      default:
        return this.#holds("run") && this.#holds("sys");
    }
  }

  /**
   * Checks that all needs are granted.
   *
   * @throws {PermissionError} for the first that is not
   */
  require(needs: readonly HostAccess[]): void {
    const [first, ...others] = needs.filter((need) => !this.has(need));
    if (first !== undefined) throw permissionError(first, others, this.#denialOf(first));
  }

  /**
   * Checks that the script itself may connect to each unix socket among the files that the program
   * reaches, where the network is the script's: Deno wants the socket to be read, to be written, and
   * as a part of the network (`--allow-net=unix:PATH`).
   *
   * @throws {PermissionError} for the first that it may not connect to
   */
  requireSockets(needs: readonly HostAccess[]): void {
    if (this.#options.net !== "inherit") return;
    for (const need of needs) {
      if (need.kind !== "read" || this.#mayConnect(need.path)) continue;
      const { path: value, step, stepIndex } = need;
      const fix = 'seccomp({ deny: ["@unix-sockets"] }) keeps the program from them; to connect, ' +
        `${shellWord(`--allow-write=${value}`)} and --allow-net are needed, or for a socket ` +
        shellWord(`--allow-net=unix:${value}`);
      throw new PermissionError(
        `not granted: the unix sockets in ${escapeControls(value)}`,
        "net",
        {
          value,
          step,
          stepIndex,
          advice: [fix],
        },
      );
    }
  }

  #mayConnect(path: string): boolean {
    if (SOCKETLESS.some((directory) => isWithin(path, directory))) return true;
    const { type } = resolvePath(path);
    if (type === "file" || type === "device" || type === "pipe") return true;
    // Deno compares the path of a socket as a whole, so that no directory of them can be granted.
    const net = type === "socket" ? { host: `unix:${path}` } : {};
    return this.#hasPath("write", path) && mayScript({ name: "net", ...net });
  }

  /** Returns how a need is denied, whatever is granted; `undefined` if it is not. */
  #denialOf(need: HostAccess): Denial | undefined {
    switch (need.kind) {
      case "read":
      case "write": {
        // What is around a denied file, or another name of it, would show that too.
        const value = this.#deniedPaths[need.kind].find((denied) =>
          touches(need.path, denied) ||
          liveHost().otherNames().of(denied).some((other) => touches(need.path, other))
        );
        return value === undefined ? undefined : { grant: need.kind, value };
      }
      case "net": {
        const [value] = this.#options.denyNet;
        return value === undefined ? undefined : { grant: "net", value };
      }
      default:
        return undefined;
    }
  }

  #hasPath(kind: "read" | "write", path: string): boolean {
    const grant = this.#options[kind];
    if (grant === "inherit") return mayScript({ name: kind, path });
    if (typeof grant === "boolean") return grant;
    // In a path that does not exist yet, `..` could later lead anywhere.
    return !path.split("/").includes("..") &&
      this.#paths[kind].some((granted) => isWithin(path, granted));
  }

  #holds(name: "run" | "sys"): boolean {
    const grant = this.#options[name];
    return grant === "inherit" ? mayScript({ name }) && mayScript({ name: "ffi" }) : grant === true;
  }
}

/** Whether the script has the permission without exceptions (`--deny-*`). */
function mayScript(permission: Deno.PermissionDescriptor): boolean {
  const { state, partial } = Deno.permissions.querySync(permission);
  return state === "granted" && partial !== true;
}

function resolved(grant: PermissionOptions["read"]): readonly string[] {
  if (typeof grant !== "object") return [];
  return grant.map((path) =>
    resolvePath(path.startsWith("/") ? path : `${Deno.cwd()}/${path}`).path
  );
}

function permissionError(
  need: HostAccess,
  others: readonly HostAccess[],
  denial: Denial | undefined,
): PermissionError {
  const { step, stepIndex, ...subject } = need;
  const { grant, value, fix } = denial === undefined ? remedyOf(need) : lifted(denial, need);
  const advice = [fix];
  if (others.length > 0) {
    advice.push(`not granted either: ${others.map(describeAccess).join("; ")}`);
  }
  const issue = `not granted: ${describeAccess(subject as HostAccess)}`;
  return new PermissionError(issue, grant, {
    value,
    step,
    stepIndex,
    advice,
    denied: denial !== undefined,
  });
}

/** An entry of a list of what is denied. */
interface Denial {
  readonly grant: keyof typeof DENIALS;
  readonly value: string;
}

/** Says what denies a need. */
function lifted({ grant, value }: Denial, need: HostAccess): Remedy {
  const denied = flagOr(`--deny-${grant}`, value) +
    `{ ${DENIALS[grant]}: [${JSON.stringify(value)}] }`;
  const why = need.kind === "net"
    ? ", cannot be held on the host's network: list the hosts to be reached, with " +
      'unshare("net")'
    : ", denies it, and it wins over what is granted";
  return { grant, ...("path" in need && { value: need.path }), fix: denied + why };
}

interface Remedy {
  readonly grant: GrantName;
  readonly value?: string;
  readonly fix: string;
}

/** Returns the option that grants a need, and how to grant or avoid it. */
function remedyOf(need: HostAccess): Remedy {
  switch (need.kind) {
    case "read":
    case "write": {
      const { kind: grant, path: value } = need;
      const grants = flagOr(`--allow-${grant}`, value) +
        `{ ${grant}: [${JSON.stringify(value)}] }`;
      return {
        grant,
        value,
        fix: need.step === undefined
          ? "the program sees all files of the host; pivotRoot() gives it a root of its own, and " +
            grants + " lets it see them"
          : `${grants}, grants it` + (grant === "write" ? UNCHANGED : ""),
      };
    }
    case "net":
      return {
        grant: "net",
        fix: need.step === undefined
          ? 'unshare("net") gives it a network of its own; --allow-net, or { net: true }, grants it'
          : "--allow-net, or { net: true }, grants it",
      };
    case "run":
      return {
        grant: "run",
        value: need.program,
        fix: `{ run: [${JSON.stringify(need.program)}] } grants it`,
      };
    case "namespace": {
      const readOnly = need.namespace === "cgroup" ? ', and a mount with the option "ro",' : "";
      const avoided = `unshare("${need.namespace}")${readOnly} avoids it`;
      return { ...MACHINE, fix: `${avoided}; ${MACHINE.fix}` };
    }
    case "terminal":
      return {
        ...MACHINE,
        fix: "newSession() before an init(), or the option { terminal: true }, avoids it; " +
          MACHINE.fix,
      };
    case "kernel":
      return {
        grant: "sys",
        fix: 'seccomp() avoids it, with unshare("user") after an init(); ' + SYS,
      };
    case "lifetime":
      return {
        grant: "sys",
        fix: 'init() with unshare("user") after it, and without dieWithParent(), avoids it; ' + SYS,
      };
    case "privilege":
      return {
        ...MACHINE,
        value: need.privilege,
        fix: 'unshare("user"), or capabilities({ keep: [] }) and noNewPrivileges(), avoids it; ' +
          MACHINE.fix,
      };
    case "device":
      return { ...MACHINE, value: need.path };
    default:
      return MACHINE;
  }
}

/** The flag with a value, as a shell takes it; nothing where a comma in that would begin another. */
function flagOr(flag: string, value: string): string {
  return value.includes(",") ? "" : `${shellWord(`${flag}=${value}`)}, or `;
}

const UNCHANGED = "; for what is only read, the program must not be able to mount, nor mounts of " +
  'the host arrive: bind with { readOnly: true }, capabilities({ keep: [] }), and no "slave"';

const SYS = "--allow-sys with --allow-ffi, or { sys: true }, grants it";

const MACHINE = {
  grant: "run",
  fix: "--allow-run --allow-sys with --allow-ffi, or { run: true, sys: true }, grant all " +
    "access to the machine",
} as const;
