/**
 * Runs pasta(1) or slirp4netns(1), which forward the packets of a network namespace by ordinary
 * sockets, without privileges.
 *
 * @module
 */

import { close } from "../../ffi/calls/files.ts";
import {
  pidfd_open,
  pidfd_send_signal,
  POLLIN,
  ppoll,
  SIGNALS,
} from "../../ffi/calls/processes.ts";
import { readSome } from "../../ffi/engine/transfer.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { processIdentity } from "../../ffi/proc/process_identity.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { DNS_FORWARDER } from "../../plan/parent_work.ts";
import { liveHost } from "../../host/live_host.ts";
import type { UserNetworkProgram } from "../../recipe/steps/network/user_network.ts";
import type { LaunchedProcess } from "../launched_process.ts";
import { reapStatus } from "../status.ts";
import { StandardStreams } from "../stdio.ts";
import { hostTool } from "./host_tool.ts";
import { openIfRunning } from "./process.ts";
import type { RunningService } from "../running_service.ts";
import type { ServiceContext, ServiceDefinition } from "./service.ts";

/**
 * The arguments of each program; with these, both write to descriptor 0 when the network is up. They
 * read the packets of a program that may be hostile. pasta confines itself; slirp4netns has to be
 * asked to leave the host's files, its capabilities, and the calls that it does not need.
 */
const ARGUMENTS: Readonly<
  Record<UserNetworkProgram, (pid: string, forwardsNames: boolean) => readonly string[]>
> = {
  pasta: (pid, forwardsNames) => [
    ...["--foreground", "--quiet", "--config-net", "--no-map-gw", "--pid", "/dev/stdin"],
    ...["-I", "tap0", "-t", "none", "-u", "none", "-T", "none", "-U", "none"],
    ...(forwardsNames ? ["--dns-forward", DNS_FORWARDER] : []),
    pid,
  ],
  slirp4netns: (pid) => [
    ...["--enable-sandbox", "--enable-seccomp", "--ready-fd=0"],
    ...["--configure", "--mtu=65520", "--disable-host-loopback"],
    ...[pid, "tap0"],
  ],
};

/** The time until a program has to be ready, in milliseconds. */
const PATIENCE = 10_000;

/** The service. */
export const userNetworkService: ServiceDefinition<"user-network"> = {
  describe: ({ programs, forwardsNames = false }, pid) => [
    programs.map((name) => [name, ...ARGUMENTS[name](pid, forwardsNames)].join(" ")).join(", or "),
  ],
  start({ programs, forwardsNames = false }, context) {
    const issues: string[] = [];
    for (const program of programs) {
      const streams = new StandardStreams(["null", "piped", "piped"]);
      let launched: LaunchedProcess;
      try {
        launched = launchProgram(program, forwardsNames, context, streams);
      } catch (error) {
        streams.close();
        if (error instanceof Deno.errors.NotFound) continue;
        throw error;
      }
      try {
        return whenReady(program, launched, streams.release());
      } catch (error) {
        // Another one may do: pasta needs a route of the host's, and slirp4netns does not.
        if (!(error instanceof UnsupportedError)) throw error;
        issues.push(error.issue);
      }
    }
    const [first, ...advice] = issues;
    if (first !== undefined) throw new UnsupportedError(first, { advice });
    throw new UnsupportedError(
      `a network for an ordinary user needs ${programs.join(" or ")}, and it is not installed ` +
        "(Debian: passt, slirp4netns); root can use veth() and masquerade() instead",
    );
  },
  cleanUp(process) {
    const pidfd = openIfRunning(process, (pid) => pidfd_open(pid, 0));
    if (pidfd === undefined) return;
    try {
      syscalls([{ call: pidfd_send_signal(pidfd, SIGNALS.SIGKILL), accept: ["ESRCH"] }]);
      waitFor(pidfd, PATIENCE);
    } finally {
      syscall(close(pidfd));
    }
  },
};

function launchProgram(
  program: UserNetworkProgram,
  forwardsNames: boolean,
  { pid, spawn }: ServiceContext,
  streams: StandardStreams,
): LaunchedProcess {
  const { euid, egid } = liveHost().credentials();
  // Without --runas, pasta run by root changes to "nobody", which may not enter the namespaces.
  const asRoot = program === "pasta" && euid === 0 ? ["--runas", `${euid}:${egid}`] : [];
  const args = [...asRoot, ...ARGUMENTS[program](String(pid), forwardsNames)];
  const [, ready, stderr] = streams.theirs;
  return spawn(hostTool(program, args, [ready!, "null", stderr!]));
}

/** Waits until the program is ready, and returns the service. */
function whenReady(
  program: UserNetworkProgram,
  { pid, pidfd }: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
): RunningService {
  const [, ready, stderr] = descriptors as [undefined, number, number];
  const end = () => {
    syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    while (reapStatus(pidfd) === undefined) waitFor(pidfd, undefined);
    for (const fd of [pidfd, ready, stderr]) syscall(close(fd));
  };
  let issue: string;
  try {
    waitFor(ready, PATIENCE);
    if ((readSome(ready)?.length ?? 0) > 0) {
      return { record: { service: "user-network", program, ...processIdentity(pid) }, end };
    }
    issue = new TextDecoder().decode(readSome(stderr) ?? new Uint8Array()).trim();
  } catch (error) {
    end();
    throw error;
  }
  end();
  throw new UnsupportedError(`${program} could not connect the container: ${issue}`);
}

function waitFor(fd: number, milliseconds: number | undefined): void {
  syscalls([{ call: ppoll([{ fd, events: POLLIN }], milliseconds), accept: ["EINTR"] }]);
}
