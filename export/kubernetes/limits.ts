/**
 * `limits()` as `resources.limits` of a container.
 *
 * @module
 */

import { type Limits, numberOf, type Size } from "../../recipe/steps/limits.ts";
import type { PodDraft } from "./draft.ts";

/** Why a pod cannot say the others. */
const UNSAID: Readonly<Record<string, string>> = {
  memoryHigh: 'the kubelet sets "memoryHigh" by itself (MemoryQoS)',
  swap: 'the kubelet decides over "swap" for all pods (memorySwap.swapBehavior)',
  cpuWeight: 'the kubelet makes "cpuWeight" from resources.requests.cpu',
  pids: 'the kubelet limits "pids" of every pod (podPidsLimit)',
  cpuset: 'the kubelet decides over "cpuset" (cpuManagerPolicy)',
  io: 'Kubernetes has no limits of "io"',
};

/** Says `limits`. */
export function sayLimits(limits: Limits & { readonly step?: string }, draft: PodDraft): void {
  const { step: _step, memory, cpus, ...others } = limits;
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) draft.refuse(`${UNSAID[name] ?? name}; leave it out`);
  }
  if (memory !== undefined && numberOf(memory) !== Infinity) {
    draft.limits["memory"] = quantity(memory);
  }
  if (cpus === undefined || cpus === "unlimited") return;
  const thousandths = Math.round(cpus * 1000);
  if (Math.abs(thousandths - cpus * 1000) > 1e-9) {
    return draft.refuse(`"cpus" are given in thousandths: ${thousandths / 1000} for ${cpus}`);
  }
  draft.limits["cpu"] = thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/** The units of a quantity, the largest first. */
const UNITS = [["Gi", 2 ** 30], ["Mi", 2 ** 20], ["Ki", 2 ** 10]] as const;

/** A number of bytes as Kubernetes has it. */
export function quantity(size: Size): string {
  const bytes = numberOf(size);
  const unit = bytes === 0 ? undefined : UNITS.find(([, one]) => bytes % one === 0);
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`;
}
