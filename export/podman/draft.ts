/**
 * A container of podman that is being described, and what it has to know of the steps so far.
 *
 * @module
 */

import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { isWithin } from "../../recipe/path.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import type { Step } from "../../recipe/steps.ts";
import { type Caller, ContainerDraft, type Mounted } from "../container_draft.ts";
import type { Directive } from "../limit_directives.ts";
import type { Refusals } from "../refusals.ts";
import { word } from "./unit_text.ts";

/** The ids of the container, by the ids of who runs podman, in which 0 is that user's. */
export interface DraftMaps {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** How a kind of namespace is called by `podman run`. */
const OPTIONS: Readonly<Partial<Record<NamespaceKind, string>>> = {
  cgroup: "cgroupns",
  ipc: "ipc",
  pid: "pid",
  uts: "uts",
};

/** What the steps have said so far. */
export class PodmanDraft extends ContainerDraft {
  readonly mounts: Mounted[] = [];
  /** Lines of the container that a step says by itself. */
  readonly lines: Directive[] = [];
  /** Lines of the service around it. */
  readonly service: Directive[] = [];
  readonly hidden: string[] = [];
  maps: DraftMaps | undefined;
  /** The program that forwards packets. */
  network: "pasta" | "slirp4netns" | undefined;
  /** Whether the changes of the root are thrown away. */
  isDiscarded = false;
  /** Whether it has this machine's /etc/resolv.conf. */
  hasNames = false;
  /** The names that podman adds to this machine's /etc/hosts; without, the file is the root's. */
  hosts: Readonly<Record<string, string>> | undefined;
  pids: number | undefined;
  filter: SeccompProfile | undefined;
  #user: { readonly step: Step; readonly at: number } | undefined;
  readonly #directories: { readonly path: string; readonly step: Step; readonly at: number }[] = [];

  constructor(caller: Caller, refusals: Refusals) {
    super("podman", caller, refusals);
  }

  /** Adds a line of the container. */
  say(key: string, value: string): void {
    this.lines.push([key, value]);
  }

  /** Adds an option of `podman run` that is no key of every quadlet. */
  option(name: string, value: string): void {
    this.say("PodmanArgs", word(`--${name}=${value}`));
  }

  /**
   * Adds a line whose key takes a text as it is: what would have to be quoted is quoted by
   * `PodmanArgs=`, which splits its words.
   */
  sayPlain(key: string, option: string, text: string): void {
    this.lines.push(plainLine(key, option, text));
  }

  /** Notes what is mounted, once at each path. */
  noteMount(destination: string): boolean {
    if (this.mounts.some((mount) => mount.destination === destination)) {
      this.refuse(`podman mounts once at ${destination}, and an earlier step does`);
      return false;
    }
    this.mounts.push({ destination });
    return true;
  }

  /** Notes that the step chooses the user. */
  noteUser(): void {
    this.#user = this.current;
  }

  /** Notes a directory that podman makes if something is mounted there. */
  noteDirectory(path: string): void {
    this.#directories.push({ path, ...this.current });
  }

  /** Refuses what is complete only at the end, or lacks. */
  finish(hasImage: boolean): void {
    const { namespaces, root, identity } = this;
    for (const { path, step, at } of this.#directories) {
      const made = ["/proc", "/sys", this.cwd ?? "/", ...this.mounts.map((one) => one.destination)];
      if (made.some((mounted) => isWithin(mounted, path)) || isWithin(path, "/dev")) continue;
      this.refuseAt(step, at, `podman makes directories to mount on, and not ${path}`);
    }
    if (!namespaces.has("mount")) {
      this.refuseRecipe('a container of podman has a mount namespace: unshare("mount")');
    }
    if (root === undefined) {
      this.refuseRecipe("a container of podman has a root of its own: root(), pivotRoot()");
    } else if (root.directory === undefined && !hasImage) {
      this.refuseRecipe("the root is no directory of this machine: give an image");
    }
    if (this.environment === undefined) {
      this.refuseRecipe("a container of podman never has its caller's variables: clearEnv()");
    }
    if (namespaces.has("user") && this.maps === undefined) {
      this.refuseRecipe('unshare("user") needs mapRoot(), mapCurrentUser() or mapIds()');
    }
    if (!namespaces.has("user") && this.caller.uid !== 0) {
      this.refuseRecipe(
        `without unshare("user") it takes root to run it, and not the user ${this.caller.uid}`,
      );
    }
    if (!this.#isMapped()) {
      this.#refuseUser(`the user ${identity.uid}, or the group, is not mapped: mapIds()`);
    }
    if (identity.uid !== 0 && this.#userCapabilities() === undefined) {
      this.#refuseUser(
        "podman gives a user the same capabilities to use and to gain: noNewPrivileges()",
      );
    }
  }

  /** Returns the lines of the container that are known at the end. */
  finalLines(): readonly Directive[] {
    const { namespaces, identity, environment, hidden } = this;
    const kinds = Object.entries(OPTIONS) as [NamespaceKind, string][];
    const given = identity.uid === 0 ? identity.bounding : this.#userCapabilities()!;
    const { groups = [] } = identity;
    const variables = [...environment ?? []].map(([name, value]) => `${name}=${value}`);
    return [
      ...(this.hostname === undefined ? [] : [["HostName", word(this.hostname)] as const]),
      plainLine("Network", "network", this.#networkWord()),
      ...kinds.map(([kind, name]): Directive => {
        const path = namespaces.get(kind);
        const own = path === undefined ? "private" : `ns:${path}`;
        return ["PodmanArgs", word(`--${name}=${namespaces.has(kind) ? own : "host"}`)];
      }),
      ...this.#mapLines(),
      // podman makes no /etc/resolv.conf for a container without a network, and refuses to be told.
      ...(this.hasNames || this.#networkWord() === "none"
        ? []
        : [["PodmanArgs", "--dns=none"] as const]),
      ...this.#hostLines(),
      ["User", String(identity.uid)],
      ["Group", String(identity.gid)],
      ...groups.map((group): Directive => ["PodmanArgs", `--group-add=${group}`]),
      ...capabilityLines(given, identity.uid === 0 && identity.isWhole),
      ["NoNewPrivileges", String(this.noNewPrivileges)],
      ["ReadOnly", String(this.root?.readonly === true)],
      // podman mounts memory at /tmp, /run and /var/tmp of a root that is read-only.
      ...(this.root?.readonly === true ? [["PodmanArgs", "--read-only-tmpfs=false"] as const] : []),
      ["PodmanArgs", `--pids-limit=${this.pids ?? -1}`],
      ...(this.umask === 0o022
        ? []
        : [["PodmanArgs", `--umask=${this.umask.toString(8).padStart(4, "0")}`] as const]),
      ...(this.oomScoreAdj === undefined
        ? []
        : [["PodmanArgs", `--oom-score-adj=${this.oomScoreAdj}`] as const]),
      ...(this.cwd === undefined ? [] : [["PodmanArgs", word(`--workdir=${this.cwd}`)] as const]),
      ...(hidden.length === 0
        ? []
        : [["PodmanArgs", word(`--security-opt=mask=${hidden.join(":")}`)] as const]),
      ["PodmanArgs", "--http-proxy=false"],
      ["PodmanArgs", "--unsetenv-all"],
      ...variables.map((text): Directive => ["Environment", word(text)]),
    ];
  }

  /** Refuses the step that chooses the user, or the recipe. */
  #refuseUser(why: string): void {
    if (this.#user === undefined) this.refuseRecipe(why);
    else this.refuseAt(this.#user.step, this.#user.at, why);
  }

  /** Whether the ids of the program are there. */
  #isMapped(): boolean {
    const { maps, identity } = this;
    const isIn = (ranges: readonly IdRange[], id: number) =>
      ranges.some(({ inside, count }) => id >= inside && id < inside + count);
    return maps === undefined || isIn(maps.uids, identity.uid) && isIn(maps.gids, identity.gid);
  }

  #networkWord(): string {
    const path = this.namespaces.get("net");
    if (!this.namespaces.has("net")) return "host";
    return path === undefined ? this.network ?? "none" : `ns:${path}`;
  }

  #hostLines(): readonly Directive[] {
    if (this.hosts === undefined) return [["PodmanArgs", "--no-hosts"]];
    return Object.entries(this.hosts).map(([name, address]) => [
      "PodmanArgs",
      word(`--add-host=${name}:${address}`),
    ]);
  }

  #mapLines(): readonly Directive[] {
    const { maps } = this;
    if (maps === undefined) return [["PodmanArgs", "--userns=host"]];
    const lines = (name: string, ranges: readonly IdRange[]) =>
      ranges.map(({ inside, outside, count }): Directive => [
        "PodmanArgs",
        `--${name}=${inside}:${outside}:${count}`,
      ]);
    return [...lines("uidmap", maps.uids), ...lines("gidmap", maps.gids)];
  }

  /**
   * What podman adds for a user is ambient, and is the bound of what files give. It is all that the
   * program can have, so the bound itself matters only where it can gain more.
   */
  #userCapabilities(): readonly string[] | undefined {
    const { bounding, ambient } = this.identity.sets;
    const isSame = bounding.length === ambient.length;
    return isSame || this.noNewPrivileges ? ambient : undefined;
  }
}

function plainLine(key: string, option: string, text: string): Directive {
  const plain = word(text);
  return plain.startsWith('"') ? ["PodmanArgs", word(`--${option}=${text}`)] : [key, plain];
}

function capabilityLines(given: readonly string[], isWhole: boolean): readonly Directive[] {
  if (isWhole) return [["AddCapability", "all"]];
  const add: readonly Directive[] = given.length === 0 ? [] : [["AddCapability", given.join(" ")]];
  return [["DropCapability", "all"], ...add];
}
