/**
 * Recipes for others who run containers: bundles of OCI runtimes, pods of Kubernetes, services of
 * podman and of systemd. Nothing here makes a call, so that an export needs no permission, and runs on
 * any platform.
 *
 * What a format cannot say is an error that names the step by its number, with the reason.
 *
 * @example
 * ```ts
 * import { clearEnv, mapRoot, recipe, root, unshare } from "@ramekin/ramekin";
 * import { exportOci } from "@ramekin/ramekin/export";
 *
 * const box = recipe(unshare("user", "mount", "pid"), mapRoot(), root("/srv/debian"), clearEnv());
 * const { files } = exportOci(box, { program: ["/bin/id"] });
 * console.log(files.map(({ path }) => path)); // [ "config.json" ]
 * ```
 *
 * @module
 */

export { exportOci, type OciBundle, type OciOptions } from "./oci/export_oci.ts";
export { type ImportedRecipe, importOci, type ImportOptions } from "./oci/import_oci.ts";
export type { BundleFile } from "./oci/draft.ts";
export type { Caller } from "./container_draft.ts";
export {
  exportKubernetes,
  type KubernetesExport,
  type KubernetesKind,
  type KubernetesOptions,
  type KubernetesRestart,
} from "./kubernetes/export_kubernetes.ts";
export type {
  KubernetesContainer,
  KubernetesDeployment,
  KubernetesJob,
  KubernetesLabels,
  KubernetesMetadata,
  KubernetesNetworkPolicy,
  KubernetesObject,
  KubernetesPod,
  KubernetesPodSpec,
  KubernetesPodTemplate,
  KubernetesSecurityContext,
  KubernetesVolume,
  KubernetesVolumeMount,
} from "./kubernetes/objects.ts";
export {
  exportPodman,
  type PodmanOptions,
  type PodmanRestart,
  type PodmanService,
} from "./podman/export_podman.ts";
export {
  exportSystemd,
  type SystemdOptions,
  type SystemdRestart,
  type SystemdService,
} from "./systemd/export_systemd.ts";
