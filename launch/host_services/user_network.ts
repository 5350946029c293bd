/**
 * slirp4netns(1) and pasta(1): they carry the packets of a network namespace to the outside as an
 * ordinary program does, by sockets of its own.
 *
 * @module
 */

import { close } from "../../ffi/calls/files.ts";
import { pidfd_send_signal, POLLIN, ppoll, SIGNALS } from "../../ffi/calls/processes.ts";
import type { UserNetworkProgram } from "../../recipe/steps/network/user_network.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { readSome } from "../../ffi/engine/transfer.ts";
import { currentCredentials } from "../../host/credentials.ts";
import { liveHost } from "../../host/live_host.ts";
import { PlanBuilder } from "../../plan/builder.ts";
import type { Cleanup } from "../../plan/parent_work.ts";
import { hostTool } from "./tool.ts";
import { launch } from "../launcher.ts";
import type { LaunchedProcess } from "../launched_process.ts";
import { reapStatus } from "../status.ts";
import { StandardStreams } from "../stdio.ts";

/** What each is given; both write something to their output once the network is there. */
export const USER_NETWORK_ARGUMENTS: Readonly<
  Record<UserNetworkProgram, (pid: string) => readonly string[]>
> = {
  slirp4netns: (pid) => [
    "--configure",
    "--mtu=65520",
    "--disable-host-loopback",
    "--ready-fd=1",
    pid,
    "tap0",
  ],
  pasta: (pid) => [
    ...["--foreground", "--quiet", "--config-net", "--no-map-gw", "--pid", "/dev/stdout"],
    ...["-I", "tap0", "-t", "none", "-u", "none", "-T", "none", "-U", "none"],
    pid,
  ],
};

/** How long a program may take to be ready, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Connects the network namespace of the process with what the script reaches.
 *
 * @throws {UnsupportedError} where none of the programs is installed, or it fails
 */
export function startUserNetwork(programs: readonly UserNetworkProgram[], pid: number): Cleanup {
  for (const program of programs) {
    const streams = new StandardStreams(["null", "piped", "piped"]);
    let launched: LaunchedProcess;
    try {
      launched = launchProgram(program, String(pid), streams);
    } catch (error) {
      streams.close();
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    return whenReady(program, launched, streams.release());
  }
  throw new UnsupportedError(
    `a network for an ordinary user needs ${programs.join(" or ")}, and it is not installed ` +
      "(Debian: slirp4netns, passt); root can do without, with veth() and masquerade()",
  );
}

function launchProgram(
  program: UserNetworkProgram,
  pid: string,
  streams: StandardStreams,
): LaunchedProcess {
  const { euid, egid } = currentCredentials();
  const args = USER_NETWORK_ARGUMENTS[program](pid);
  // Otherwise it would be nobody, who may not enter the namespaces.
  const asRoot = program === "pasta" && euid === 0 ? ["--runas", `${euid}:${egid}`] : [];
  return launch(
    new PlanBuilder([], liveHost()),
    hostTool(program, [...asRoot, ...args], streams.theirs),
  );
}

/** Waits until the program is ready; answers what ends it. */
function whenReady(
  program: UserNetworkProgram,
  { pidfd }: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
): Cleanup {
  const [, stdout, stderr] = descriptors as [undefined, number, number];
  const end = () => {
    syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    while (reapStatus(pidfd) === undefined) waitFor(pidfd, undefined);
    for (const fd of [pidfd, stdout, stderr]) syscall(close(fd));
  };
  let issue: string;
  try {
    waitFor(stdout, PATIENCE);
    if ((readSome(stdout)?.length ?? 0) > 0) return end;
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
