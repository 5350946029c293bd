/**
 * The objects of an export, held to the types of Kubernetes' own API by `deno check`: each field is
 * one that it has, and of its type.
 */

import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type { Job } from "kubernetes-types/batch/v1.d.ts";
import type { Pod } from "kubernetes-types/core/v1.d.ts";
import type { NetworkPolicy } from "kubernetes-types/networking/v1.d.ts";
import type {
  KubernetesDeployment,
  KubernetesJob,
  KubernetesNetworkPolicy,
  KubernetesPod,
} from "../../export/mod.ts";

/** The paths of the fields that the other type has not. */
type Unknown<Ours, Theirs, Path extends string = ""> = Ours extends readonly (infer Item)[]
  ? Unknown<Item, NonNullable<Theirs> extends readonly (infer Other)[] ? Other : never, Path>
  : Ours extends object ? {
      [Key in keyof Ours & string]: Key extends keyof NonNullable<Theirs>
        ? Unknown<NonNullable<Ours[Key]>, NonNullable<NonNullable<Theirs>[Key]>, `${Path}.${Key}`>
        : string extends keyof NonNullable<Theirs> ? never
        : `${Path}.${Key}`;
    }[keyof Ours & string]
  : never;

/** The same without `readonly`, which the types of Kubernetes do not have. */
type Writable<T> = T extends readonly (infer Item)[] ? Writable<Item>[]
  : T extends object ? { -readonly [Key in keyof T]: Writable<T[Key]> }
  : T;

/** Compiles if there is no unknown field, and each is of the type that it has there. */
function held<Ours, Theirs>(
  _unknown: [Unknown<Ours, Theirs>] extends [never] ? true : Unknown<Ours, Theirs>,
  convert: (ours: Writable<Ours>) => Theirs,
): (ours: Writable<Ours>) => Theirs {
  return convert;
}

/** What each kind is held to. */
export const HELD = {
  Pod: held<KubernetesPod, Pod>(true, (pod) => pod),
  Job: held<KubernetesJob, Job>(true, (job) => job),
  Deployment: held<KubernetesDeployment, Deployment>(true, (deployment) => deployment),
  NetworkPolicy: held<KubernetesNetworkPolicy, NetworkPolicy>(true, (policy) => policy),
};
