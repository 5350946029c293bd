/**
 * `ramekin export kubernetes`.
 *
 * @module
 */

import { stringify } from "../../../std/yaml.ts";
import { exportKubernetes, type KubernetesRestart } from "../../../export/mod.ts";
import { KUBERNETES_KINDS } from "../../../export/kubernetes/export_kubernetes.ts";
import { print } from "../output.ts";
import { UsageError } from "../usage.ts";
import { asUsage, oneOf, secondsOf } from "./flags.ts";
import type { Arguments } from "../arguments.ts";
import type { ExportWriter } from "./request.ts";
import { needDirectory, writeTextTo } from "./write.ts";

/** Prepares a file of objects, and that of a filter. */
export function prepareKubernetes(given: Arguments, name: string): ExportWriter {
  const image = given.value("image");
  if (image === undefined) {
    throw new UsageError("--image=IMAGE is missing: whose files the root of the pod has");
  }
  const kind = oneOf("kind", given, KUBERNETES_KINDS) ?? "pod";
  const restart = oneOf<KubernetesRestart>("restart", given, ["no", "on-failure", "always"]);
  const runtimeClass = given.value("runtime-class");
  const namespace = given.value("namespace");
  const replicas = given.value("replicas"), gracePeriod = secondsOf("grace", given);
  const objectName = given.value("name") ?? name.toLowerCase();
  return ({ file: { recipe, located }, program, directory }) => {
    const { objects, seccomp } = located(() =>
      asUsage(() =>
        exportKubernetes(recipe, {
          program,
          image,
          kind,
          name: objectName,
          ...(restart !== undefined && { restart }),
          ...(runtimeClass !== undefined && { runtimeClass }),
          ...(namespace !== undefined && { namespace }),
          ...(replicas !== undefined && { replicas: Number(replicas) }),
          ...(gracePeriod !== undefined && { gracePeriod }),
        })
      )
    );
    const text = objects
      .map((object) => stringify(object, { lineWidth: -1, useAnchors: false })).join("---\n");
    if (given.value("output") === "-") {
      if (seccomp !== undefined) {
        throw new UsageError("-o=- is for one file, and the filter is another: -o=DIRECTORY");
      }
      print(text.trimEnd());
      return [];
    }
    needDirectory(directory);
    const path = `${directory}/${name}.${kind}.yaml`;
    writeTextTo(path, text);
    if (seccomp === undefined) return [path];
    const filter = `${directory}/${name}.seccomp.json`;
    writeTextTo(filter, `${JSON.stringify(seccomp.profile, null, 2)}\n`);
    return [path, filter];
  };
}
