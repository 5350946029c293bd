/**
 * A pod that is being described, and what it has to know of the steps so far.
 *
 * @module
 */

import { isWithin } from "../../recipe/path.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { Step } from "../../recipe/steps.ts";
import { ContainerDraft } from "../container_draft.ts";
import type { Refusals } from "../refusals.ts";
import type { KubernetesPodSpec, KubernetesVolume } from "./objects.ts";

/** What a pod is told beside its steps. */
export interface PodOptions {
  readonly program: readonly string[];
  readonly image: string;
  readonly name: string;
  readonly restartPolicy: KubernetesPodSpec["restartPolicy"];
  readonly runtimeClass: string | undefined;
  readonly gracePeriod: number | undefined;
}

/** A volume at a path of the container. */
interface DraftVolume {
  readonly destination: string;
  readonly name: string;
  readonly readOnly: boolean;
}

/** A filter: the runtime's own, or one of a file of the node. */
export type DraftFilter = "RuntimeDefault" | SeccompProfile;

/** What the steps have said so far. */
export class PodDraft extends ContainerDraft {
  readonly mounts: DraftVolume[] = [];
  readonly sysctls = new Map<string, string>();
  readonly limits: Record<string, string> = {};
  hostAliases: KubernetesPodSpec["hostAliases"];
  /** Whether ids are mapped. */
  isMapped = false;
  /** Whether names are looked up as on the node. */
  hasNodeNames = false;
  /** Whether there is a way out of its network. */
  reachesOut = false;
  hasInit = false;
  seconds: number | undefined;
  filter: DraftFilter | undefined;
  /** The step that shows a root in which changes stay, if that does not become read-only. */
  #lasting: { readonly step: Step; readonly at: number; readonly way: string } | undefined;
  readonly #directories: { readonly path: string; readonly step: Step; readonly at: number }[] = [];
  readonly #volumes = new Map<string, KubernetesVolume>();

  constructor(refusals: Refusals) {
    super("a pod", { uid: 0, gid: 0 }, refusals);
  }

  /** Shows a file or directory of the node; one volume serves however often it is shown. */
  showHostPath(path: string, destination: string, readOnly: boolean): void {
    const volume = this.#volumes.get(path) ??
      { name: this.#volumeName(destination), hostPath: { path } };
    this.#volumes.set(path, volume);
    this.#mount({ destination, name: volume.name, readOnly });
  }

  /** Mounts an empty directory in memory. */
  addMemory(destination: string, sizeLimit: string | undefined): void {
    const name = this.#volumeName(destination);
    const emptyDir = { medium: "Memory", ...(sizeLimit !== undefined && { sizeLimit }) } as const;
    this.#volumes.set(`memory:${name}`, { name, emptyDir });
    this.#mount({ destination, name, readOnly: false });
  }

  /** Notes a directory that a runtime makes if something is mounted there. */
  noteDirectory(path: string): void {
    this.#directories.push({ path, ...this.current });
  }

  /** Notes that the step shows a root in which changes stay. */
  noteLasting(way: string): void {
    this.#lasting = { ...this.current, way };
  }

  /** Kubernetes refuses two mounts at one path, and mounts the outer ones first by itself. */
  #mount(mount: DraftVolume): void {
    if (this.mounts.some(({ destination }) => destination === mount.destination)) {
      return this.refuse(`a pod mounts once at ${mount.destination}, and an earlier step does`);
    }
    if (mount.destination.includes(":")) {
      return this.refuse('a pod has no path with a ":" to mount on');
    }
    this.mounts.push(mount);
  }

  /** The name of a new volume, by the path at which it is first. */
  #volumeName(path: string): string {
    const words = path.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 58);
    const base = words.replace(/^-+|-+$/g, "") || "volume";
    const names = new Set(Array.from(this.#volumes.values(), ({ name }) => name));
    for (let number = 1;; number++) {
      const name = number === 1 ? base : `${base}-${number}`;
      if (!names.has(name)) return name;
    }
  }

  /** Refuses what is complete only at the end, or lacks. */
  finish(): void {
    const { namespaces, identity } = this;
    for (const { path, step, at } of this.#directories) {
      const made = [
        "/dev",
        "/proc",
        "/sys",
        this.cwd ?? "/",
        ...this.mounts.map((mount) => mount.destination),
      ];
      if (made.some((mounted) => isWithin(mounted, path) || isWithin(path, "/dev"))) continue;
      this.refuseAt(
        step,
        at,
        `a runtime makes directories to mount on, and not ${path}: put it into the image`,
      );
    }
    if (this.#lasting !== undefined && this.root?.readonly === false) {
      const { step, at, way } = this.#lasting;
      this.refuseAt(
        step,
        at,
        `the changes of a pod end with it, and those of this root stay: ${way}`,
      );
    }
    if (!namespaces.has("mount")) {
      this.refuseRecipe('a pod has a mount namespace: unshare("mount")');
    }
    if (this.root === undefined) {
      this.refuseRecipe("a pod has the root of its image: root(), pivotRoot()");
    }
    if (this.environment === undefined) {
      this.refuseRecipe("a pod never has its caller's variables: clearEnv()");
    }
    if (namespaces.has("user")) {
      if (!this.isMapped) this.refuseRecipe('unshare("user") needs mapRoot()');
      // The validation of hostUsers refuses a pod that shares one of these.
      const shared = (["net", "pid", "ipc"] as const).filter((kind) => !namespaces.has(kind));
      if (shared.length > 0) {
        const kinds = shared.map((kind) => `"${kind}"`).join(", ");
        this.refuseRecipe(
          `a pod with a user namespace shares no other with its node: unshare(${kinds})`,
        );
      }
    }
    if (!namespaces.has("pid") && this.hasInit) {
      this.refuseRecipe('a pod that sees the processes of its node has no init(): unshare("pid")');
    }
    if (!namespaces.has("net") && this.hostname !== undefined) {
      this.refuseRecipe('a pod in the network of its node has its name: unshare("net")');
    }
    if (identity.uid !== 0 && identity.sets.ambient.length > 0) {
      this.refuseRecipe("a pod gives a user no ambient capabilities: capabilities({ keep: [] })");
    }
    for (const name of this.sysctls.keys()) {
      const kind = name.startsWith("net.") ? "net" : "ipc";
      if (!namespaces.has(kind)) this.refuseRecipe(`${name} is the node's: unshare("${kind}")`);
    }
  }

  /** Returns what the steps are in a pod. */
  spec(options: PodOptions): KubernetesPodSpec {
    const { namespaces, identity } = this;
    const { name, image, program, restartPolicy, runtimeClass, gracePeriod } = options;
    const { groups = [] } = identity;
    const sysctls = Array.from(this.sysctls, ([name, value]) => ({ name, value }));
    const pod = {
      ...(groups.length > 0 && { supplementalGroups: groups }),
      ...(sysctls.length > 0 && { sysctls }),
    };
    const env = Array.from(
      this.environment ?? [],
      ([name, value]) => ({ name, value: unexpanded(value) }),
    );
    const volumeMounts = this.mounts.map(({ name, destination, readOnly }) => ({
      name,
      mountPath: destination,
      ...(readOnly && { readOnly, recursiveReadOnly: "Enabled" } as const),
    }));
    return {
      restartPolicy,
      ...(runtimeClass !== undefined && { runtimeClassName: runtimeClass }),
      ...(this.hostname !== undefined && { hostname: this.hostname }),
      ...(this.hostAliases !== undefined && { hostAliases: this.hostAliases }),
      ...(this.hasNodeNames && { dnsPolicy: "Default" }),
      ...(namespaces.has("user") && { hostUsers: false }),
      ...(!namespaces.has("net") && { hostNetwork: true }),
      ...(!namespaces.has("pid") && { hostPID: true }),
      ...(!namespaces.has("ipc") && { hostIPC: true }),
      ...(this.hasInit && { shareProcessNamespace: true }),
      ...(this.seconds !== undefined && { activeDeadlineSeconds: this.seconds }),
      ...(gracePeriod !== undefined && { terminationGracePeriodSeconds: gracePeriod }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(Object.keys(pod).length > 0 && { securityContext: pod }),
      containers: [{
        name,
        image,
        command: program.map(unexpanded),
        ...(this.cwd !== undefined && { workingDir: this.cwd }),
        ...(env.length > 0 && { env }),
        ...(Object.keys(this.limits).length > 0 && { resources: { limits: this.limits } }),
        securityContext: {
          runAsUser: identity.uid,
          runAsGroup: identity.gid,
          allowPrivilegeEscalation: !this.noNewPrivileges,
          readOnlyRootFilesystem: this.root?.readonly === true,
          capabilities: this.#capabilities(),
          seccompProfile: this.#seccompProfile(name),
        },
        ...(volumeMounts.length > 0 && { volumeMounts }),
      }],
      ...(volumeMounts.length > 0 && { volumes: [...this.#volumes.values()] }),
    };
  }

  /**
   * The program is executed by root, who gets all of the bounding set then (capabilities(7)), or by a
   * user, to whom it is the bound of what files give.
   */
  #capabilities(): { readonly drop: readonly ["ALL"]; readonly add?: readonly string[] } {
    const { bounding, isWhole } = this.identity;
    const add = isWhole ? ["ALL"] : bounding.map((name) => name.replace(/^CAP_/, ""));
    return { drop: ["ALL"], ...(add.length > 0 && { add }) };
  }

  #seccompProfile(
    name: string,
  ): KubernetesPodSpec["containers"][0]["securityContext"]["seccompProfile"] {
    if (this.filter === undefined) return { type: "Unconfined" };
    if (this.filter === "RuntimeDefault") return { type: this.filter };
    return { type: "Localhost", localhostProfile: profilePath(name) };
  }
}

/** Where the filter of a pod lies, below the directory of the kubelet for them. */
export function profilePath(name: string): string {
  return `ramekin/${name}.json`;
}

/** A text in which `$(NAME)` is no variable: `$$` stands for `$` there. */
function unexpanded(text: string): string {
  return text.replace(/\$(?=[$(])/g, "$$$$");
}
