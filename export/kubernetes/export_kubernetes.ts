/**
 * A recipe as a pod of Kubernetes.
 *
 * @module
 */

import { checkedSteps } from "../../recipe/check.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { Step } from "../../recipe/steps.ts";
import { plannedRoot } from "../container_draft.ts";
import { Refusals } from "../refusals.ts";
import { PodDraft, profilePath } from "./draft.ts";
import type {
  KubernetesMetadata,
  KubernetesNetworkPolicy,
  KubernetesObject,
  KubernetesPodSpec,
} from "./objects.ts";
import { sayStep } from "./steps.ts";

/** The options of {@linkcode exportKubernetes}. */
export interface KubernetesOptions {
  /** The program and its arguments. */
  readonly program: readonly [string, ...string[]];
  /** The image whose files are the root: `"registry.example/kitchen:1"`. */
  readonly image: string;
  /** The name of the pod and of what belongs to it. */
  readonly name: string;
  /**
   * A pod by itself, one that is run to its end, or some that are kept running.
   *
   * @default {"pod"}
   */
  readonly kind?: KubernetesKind;
  /** The namespace of Kubernetes. */
  readonly namespace?: string;
  /** The RuntimeClass whose runtime makes the container: `"ramekin"` where that is installed. */
  readonly runtimeClass?: string;
  /**
   * When the container is started again: always in a deployment, and never in a job but after a
   * failure.
   *
   * @default {"no"}, and "always" for a deployment
   */
  readonly restart?: KubernetesRestart;
  /**
   * The number of pods of a deployment.
   *
   * @default {1}
   */
  readonly replicas?: number;
  /** The seconds between SIGTERM and SIGKILL; the cluster's are 30. */
  readonly gracePeriod?: number;
}

/** What a recipe becomes. */
export type KubernetesKind = "pod" | "job" | "deployment";

/** When a container is started again. */
export type KubernetesRestart = "no" | "on-failure" | "always";

/** All kinds. */
export const KUBERNETES_KINDS: readonly KubernetesKind[] = ["pod", "job", "deployment"];

/** The words of Kubernetes. */
const RESTART_POLICIES = { no: "Never", "on-failure": "OnFailure", always: "Always" } as const;

/** A recipe in Kubernetes. */
export interface KubernetesExport {
  /** The objects: one YAML document each, in a file for `kubectl apply`. */
  readonly objects: readonly KubernetesObject[];
  /**
   * The filter of a `seccomp()` with rules of its own, which each node has to have in the directory of
   * its kubelet for them, /var/lib/kubelet/seccomp.
   */
  readonly seccomp?: {
    /** The path there: `"ramekin/kitchen.json"`. */
    readonly path: string;
    /** The filter. */
    readonly profile: SeccompProfile;
  };
}

/**
 * Returns a recipe as objects of Kubernetes: a Pod, or a Job or a Deployment that makes such pods; and
 * for a network of its own a NetworkPolicy, which lets nothing in, and out only with `userNetwork()`.
 * The root is that of the image. It makes no call, and asks this machine nothing.
 *
 * @throws {RecipeError} for steps that a pod cannot say, each by its number and with the reason, or if
 * the recipe lacks what every pod has
 * @throws {TypeError} if an option is invalid
 *
 * @example
 * ```ts
 * import { clearEnv, hostname, limits, mapRoot, recipe, root, unshare } from "@ramekin/ramekin";
 * import { exportKubernetes } from "@ramekin/ramekin/export";
 * import { assertEquals } from "@std/assert";
 *
 * const kitchen = recipe(
 *   unshare("user", "mount", "pid", "uts", "ipc", "net"),
 *   mapRoot(),
 *   root("/srv/debian", { readOnly: true }),
 *   hostname("kitchen"),
 *   clearEnv(),
 *   limits({ memory: "256m", cpus: 0.5 }),
 * );
 * const { objects } = exportKubernetes(kitchen, {
 *   program: ["uname", "-n"],
 *   image: "registry.example/kitchen:1",
 *   name: "kitchen",
 * });
 * assertEquals(objects.map(({ kind }) => kind), ["Pod", "NetworkPolicy"]);
 * ```
 */
export function exportKubernetes(
  recipe: { readonly steps: readonly Step[] },
  options: KubernetesOptions,
): KubernetesExport {
  const { name, kind = "pod", namespace, program, image, runtimeClass, gracePeriod } = options;
  const { restart = kind === "deployment" ? "always" : "no" } = options;
  checkOptions({ ...options, kind, restart });
  const steps = checkedSteps(recipe.steps);
  const refusals = new Refusals();
  const draft = new PodDraft(refusals);
  draft.root = plannedRoot(steps);
  steps.forEach((step, at) => {
    draft.begin(step, at);
    sayStep(step, draft);
    if (kind === "deployment" && step.step === "bounds" && draft.seconds !== undefined) {
      draft.refuse('the pods of a deployment run on: leave out "timeout", or make it a job');
    }
  });
  draft.finish();
  refusals.throwAny();
  const spec = draft.spec({
    program,
    image,
    name,
    restartPolicy: RESTART_POLICIES[restart],
    runtimeClass,
    gracePeriod,
  });
  const labels = { "app.kubernetes.io/name": name };
  const metadata = { name, ...(namespace !== undefined && { namespace }), labels };
  const { filter } = draft;
  return {
    objects: [
      objectOf(kind, metadata, spec, options.replicas ?? 1),
      ...(draft.namespaces.has("net") ? [policyOf(metadata, draft.reachesOut)] : []),
    ],
    ...(typeof filter === "object" && { seccomp: { path: profilePath(name), profile: filter } }),
  };
}

function objectOf(
  kind: KubernetesKind,
  metadata: KubernetesMetadata,
  spec: KubernetesPodSpec,
  replicas: number,
): KubernetesObject {
  const { labels } = metadata;
  const template = { metadata: { labels }, spec };
  switch (kind) {
    case "pod":
      return { apiVersion: "v1", kind: "Pod", metadata, spec };
    case "job":
      return { apiVersion: "batch/v1", kind: "Job", metadata, spec: { backoffLimit: 0, template } };
    case "deployment": {
      const selector = { matchLabels: labels };
      return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata,
        spec: { replicas, selector, template },
      };
    }
  }
}

/** A network of a recipe's own is empty, where that of a pod reaches all others. */
function policyOf(metadata: KubernetesMetadata, reachesOut: boolean): KubernetesNetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec: {
      podSelector: { matchLabels: metadata.labels },
      policyTypes: ["Ingress", "Egress"],
      ...(reachesOut && { egress: [{}] }),
    },
  };
}

/** A name of Kubernetes, as a host may have it (RFC 1123). */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function checkOptions(
  { program, image, name, kind, restart, namespace, runtimeClass, replicas, gracePeriod }:
    & KubernetesOptions
    & { readonly kind: string; readonly restart: string },
): void {
  const wrong = (option: string, issue: string) => {
    throw new TypeError(`exportKubernetes(): the option "${option}" ${issue}`);
  };
  if (!Array.isArray(program) || !program[0]) wrong("program", "has at least a program's name");
  if (typeof image !== "string" || !/^[^\s]+$/.test(image)) wrong("image", "names an image");
  if (!NAME.test(name)) wrong("name", `has a-z, 0-9 and - within, 63 at most, and is not ${name}`);
  if (!KUBERNETES_KINDS.some((known) => known === kind)) {
    wrong("kind", `is one of ${KUBERNETES_KINDS.join(", ")}`);
  }
  if (!Object.hasOwn(RESTART_POLICIES, restart)) wrong("restart", "is no, on-failure or always");
  if (kind === "deployment" && restart !== "always") wrong("restart", "is always for a deployment");
  if (kind === "job" && restart === "always") wrong("restart", "is no or on-failure for a job");
  if (namespace !== undefined && !NAME.test(namespace)) wrong("namespace", "is a name");
  if (runtimeClass !== undefined && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(runtimeClass)) {
    wrong("runtimeClass", "is the name of a RuntimeClass");
  }
  if (replicas !== undefined && !(Number.isSafeInteger(replicas) && replicas >= 0)) {
    wrong("replicas", "is a number of pods");
  }
  if (replicas !== undefined && kind !== "deployment") wrong("replicas", "is for a deployment");
  if (gracePeriod !== undefined && !(Number.isSafeInteger(gracePeriod) && gracePeriod >= 0)) {
    wrong("gracePeriod", "is a number of seconds");
  }
}
