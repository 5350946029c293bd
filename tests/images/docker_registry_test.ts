/** The registry of the distribution project, with a login and with TLS by an authority of the test. */

import { assertEquals } from "@std/assert";
import { pull, push } from "../../images/mod.ts";
import { until } from "../other_scripts.ts";
import { makeImage, writeLayout } from "./made_image.ts";
import { output, without } from "./programs.ts";
import { assertImageError, inDirectory, QUICK } from "./support.ts";

/** A hash of the password "salt" as htpasswd(5) has it. */
const HTPASSWD = "cook:$2b$05$abcdefghijklmnopqrstuutpWk12aIhhKqdzAdzCay0Q/xsr6Gh8i\n";

/** Starts a registry, which takes a port of 127.0.0.1 that the kernel chooses, and tells it in its log. */
async function started(directory: string, config: string): Promise<{
  readonly host: string;
  readonly process: Deno.ChildProcess;
}> {
  Deno.writeTextFileSync(
    `${directory}/config.yml`,
    `version: 0.1\nstorage: { filesystem: { rootdirectory: ${directory}/data } }\n` +
      `http:\n  addr: 127.0.0.1:0\n${config}`,
  );
  const log = `${directory}/log`;
  const process = new Deno.Command("sh", {
    args: ["-c", 'exec docker-registry serve "$0" 2> "$1"', `${directory}/config.yml`, log],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const address = () => /listening on (127\.0\.0\.1:\d+)/.exec(textOf(log))?.[1];
  try {
    await until(() => address() !== undefined);
    return { host: address()!, process };
  } catch {
    await stopped(process);
    throw new Error(`the registry does not listen: ${textOf(log)}`);
  }
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Makes an authority, and a certificate of this machine's by it. */
async function certificates(
  directory: string,
): Promise<readonly [key: string, cert: string, authority: string]> {
  const paths = ["key", "cert", "ca-key", "ca"].map((name) => `${directory}/${name}.pem`);
  const [key, cert, caKey, ca] = paths as [string, string, string, string];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const plain = [...request, "-nodes", "-days", "2"];
  await output("openssl", ...plain, "-keyout", caKey, "-out", ca, "-subj", "/CN=authority");
  await output(
    "openssl",
    ...[...plain, "-keyout", key, "-out", cert, "-subj", "/CN=kitchen"],
    ...["-CA", ca, "-CAkey", caKey, "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  );
  return [key, cert, ca];
}

async function stopped(process: Deno.ChildProcess): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}

const skip = without("docker-registry") ?? without("openssl");

inDirectory("docker-registry takes an image with TLS, and gives it back", async (directory) => {
  const [key, cert, authority] = await certificates(directory);
  const tls = `  tls: { certificate: ${cert}, key: ${key} }\n`;
  const { host, process } = await started(directory, tls);
  try {
    const content = new Uint8Array(300_000).map((_, at) => (at * 7919) % 251);
    const image = makeImage({
      layers: [[{ name: "large", content }], [{ name: "x", content: "x" }]],
    });
    writeLayout(`${directory}/layout`, { tag: image });
    const options = { unpack: false, ...QUICK, credentials: () => undefined };
    const from = { ...options, store: `${directory}/store`, name: "tool:1" };
    await using stored = await pull(`oci:${directory}/layout:tag`, from);
    const trusted = { ...options, certificates: [Deno.readTextFileSync(authority)] };
    const reference = await push(stored, `${host}/team/tool:1`, { ...trusted, chunkSize: 100 });
    await using back = await pull(reference, { ...trusted, store: `${directory}/other` });
    assertEquals(back.digest, image.manifest.digest);
    // Another repository of it has the blobs.
    await push(back, `${host}/other/tool:1`, trusted);
    await assertImageError(
      () => pull(`${host}/team/tool:2`, { ...trusted, store: `${directory}/other` }),
      "not-found",
      "MANIFEST_UNKNOWN",
    );
    const distrusted = { ...options, store: `${directory}/other`, retries: 0 };
    await assertImageError(
      () => pull(`${host}/team/tool:1`, distrusted),
      "network",
      "certificate",
      `/etc/containers/certs.d/${host}/ca.crt`,
    );
  } finally {
    await stopped(process);
  }
}, skip);

inDirectory("docker-registry wants a login", async (directory) => {
  Deno.writeTextFileSync(`${directory}/htpasswd`, HTPASSWD);
  const auth = `auth: { htpasswd: { realm: kitchen, path: ${directory}/htpasswd } }\n`;
  const { host, process } = await started(directory, auth);
  try {
    writeLayout(`${directory}/layout`, { tag: makeImage() });
    const from = { store: `${directory}/store`, name: "tool:1", unpack: false };
    await using image = await pull(`oci:${directory}/layout:tag`, from);
    const nobody = { ...QUICK, credentials: () => undefined };
    await assertImageError(
      () => push(image, `${host}/tool:1`, nobody),
      "denied",
      "a login is needed",
    );
    const cook = { ...QUICK, credentials: { username: "cook", password: "salt" } };
    await push(image, `${host}/tool:1`, cook);
    await using back = await pull(`${host}/tool:1`, { ...from, name: "tool:2", ...cook });
    assertEquals(back.digest, image.digest);
  } finally {
    await stopped(process);
  }
}, skip);
