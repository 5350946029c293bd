/**
 * The root of a container: a directory of the host, or one in the bundle in place of a tmpfs.
 *
 * @module
 */

import { loopbackHosts } from "../../recipe/network_files.ts";
import { bind, type BindOptions } from "../../recipe/steps/bind.ts";
import { devices } from "../../recipe/steps/devices.ts";
import { proc, sysfs, tmpfs } from "../../recipe/steps/mounts.ts";
import { ROOT_PLACE, type RootStep } from "../../recipe/steps/root_directory.ts";
import { beginRoot } from "../container_draft.ts";
import type { ConfigDraft } from "./draft.ts";
import { sayBind, sayDevices, sayKernelFilesystem, sayTmpfs } from "./mounts.ts";

/** Says `root`, by what it stands for. */
export function sayRoot(step: RootStep, draft: ConfigDraft): void {
  const { discard = false, resolvConf = false, volumes = {} } = step;
  const root = beginRoot(step, draft);
  if (root === undefined) return;
  if (discard) {
    draft.refuse('"discard" is an overlay, which engines mount before they call a runtime');
  }
  const show = (source: string, target: string, options: BindOptions) =>
    sayBind(bind(source, at(target), options), draft);
  // crun 1.8 sets the attributes of what is mounted below for directories alone.
  const file = { readOnly: true, recursive: false };
  sayDevices(devices(at("/dev")), draft);
  sayKernelFilesystem(proc(at("/proc")), draft);
  if (draft.namespaces.has("net") && draft.namespaces.get("net") === undefined) {
    sayKernelFilesystem(sysfs(at("/sys"), { options: "ro" }), draft);
  }
  sayTmpfs(tmpfs(at("/tmp")), draft);
  if (resolvConf) show("/etc/resolv.conf", "/etc/resolv.conf", file);
  const hosts = hostsFile(step, draft);
  if (hosts !== undefined) show(hosts, "/etc/hosts", file);
  for (const [target, { source, readOnly: isReadOnly = false }] of Object.entries(volumes)) {
    show(source, target, { readOnly: isReadOnly });
  }
  root.entered = true;
}

/** Returns where a path of the new root is until it is the root. */
function at(path: string): string {
  return ROOT_PLACE + path;
}

/** Returns the file that becomes /etc/hosts; one with names of its own lies in the bundle. */
function hostsFile({ hosts = false }: RootStep, draft: ConfigDraft): string | undefined {
  if (hosts === false) return undefined;
  if (hosts === true) return "/etc/hosts";
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`);
  draft.files.push({
    path: "hosts",
    type: "file",
    text: loopbackHosts() + lines.join(""),
    mode: 0o644,
  });
  if (draft.bundle === undefined) {
    draft.refuse('the file of "hosts" is in the bundle: say where that will be');
  }
  return `${draft.bundle ?? ""}/hosts`;
}
