/**
 * Credentials for registries, from the files in which `docker login` and `podman login` leave them, and
 * from the programs that keep them.
 *
 * @module
 */

import { environment, type Variables } from "../environment.ts";
import { recipe } from "../../container/recipe.ts";
import type { CommandOutput } from "../../launch/output.ts";
import { isObject, type JsonObject } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import { readIfThere } from "../store/files.ts";

/** Who one is to a registry: a name and a password, or a token that stands for both. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

/** The name under which docker keeps the credentials of docker.io. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/** What a helper answers in place of a name where it has a token. */
const TOKEN_USER = "<token>";

/**
 * Finds the credentials for a repository: those of the longest name that it begins with, in the first
 * file that has some. The files are `REGISTRY_AUTH_FILE`, or else containers/auth.json of
 * `XDG_RUNTIME_DIR` and `XDG_CONFIG_HOME`, and config.json of `DOCKER_CONFIG` or ~/.docker.
 *
 * @throws {ImageError} where a file or a program with credentials fails
 */
export async function findCredentials(
  registry: string,
  repository: string,
  variables: Variables = environment(),
): Promise<Credentials | undefined> {
  for (const path of files(variables)) {
    const found = await inFile(path, namesOf(registry, repository), variables);
    if (found !== undefined) return found;
  }
  return undefined;
}

function files(variables: Variables): readonly string[] {
  const { REGISTRY_AUTH_FILE: own, XDG_RUNTIME_DIR: runtime, DOCKER_CONFIG: docker } = variables;
  if (own) return [own];
  const home = variables["HOME"];
  const config = variables["XDG_CONFIG_HOME"] || (home && `${home}/.config`);
  return [
    ...(runtime ? [`${runtime}/containers/auth.json`] : []),
    ...(config ? [`${config}/containers/auth.json`] : []),
    ...(docker ? [`${docker}/config.json`] : home ? [`${home}/.docker/config.json`] : []),
  ];
}

async function inFile(
  path: string,
  names: readonly string[],
  variables: Variables,
): Promise<Credentials | undefined> {
  const file = await readFile(path);
  if (file === undefined) return undefined;
  const server = names.at(-1)!;
  const helper = names.map((name) => textIn(file["credHelpers"], name)).find((it) => it);
  if (helper !== undefined) return await fromHelper(helper, server, variables);
  const auths = isObject(file["auths"]) ? file["auths"] : {};
  for (const name of names) {
    const entry = Object.entries(auths).find(([key]) => key === name || bare(key) === name)?.[1];
    const found = isObject(entry) ? fromEntry(path, name, entry) : undefined;
    if (found !== undefined) return found;
  }
  const store = file["credsStore"];
  return typeof store === "string" && store !== ""
    ? await fromHelper(store, server, variables)
    : undefined;
}

async function readFile(path: string): Promise<JsonObject | undefined> {
  try {
    const bytes = await readIfThere(path);
    const file: unknown = bytes && JSON.parse(new TextDecoder().decode(bytes));
    return isObject(file) ? file : undefined;
  } catch (cause) {
    if (cause instanceof Deno.errors.PermissionDenied) return undefined;
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ImageError(`${path} with the credentials of registries is not JSON`, {
      code: "denied",
      cause,
    });
  }
}

/** The names that credentials may have, the longest first: `host/team/tool`, `host/team`, `host`. */
function namesOf(registry: string, repository: string): readonly string[] {
  const parts = [registry, ...repository.split("/")];
  const names = parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
  return registry === "docker.io" ? [...names, "index.docker.io", DOCKER_HUB] : names;
}

/** A key without the scheme and the path that docker once wrote: `https://host/v1/`. */
function bare(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/v[12]\/?$/, "").replace(/\/$/, "");
}

function fromEntry(path: string, name: string, entry: JsonObject): Credentials | undefined {
  const token = textIn(entry, "identitytoken");
  if (token !== undefined) return { identityToken: token };
  const [username, password] = [textIn(entry, "username"), textIn(entry, "password")];
  if (username !== undefined && password !== undefined) return { username, password };
  const auth = textIn(entry, "auth");
  if (auth === undefined) return undefined;
  const decoded = decode(auth);
  const at = decoded?.indexOf(":") ?? -1;
  if (decoded === undefined || at < 0) {
    throw new ImageError(`${path}: "auth" of ${name} is not "name:password" in base64`, {
      code: "denied",
    });
  }
  // Docker once filled the rest with zero bytes.
  return { username: decoded.slice(0, at), password: decoded.slice(at + 1).replace(/\0+$/, "") };
}

function decode(base64: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(base64));
  } catch {
    return undefined;
  }
}

function textIn(object: unknown, field: string): string | undefined {
  if (!isObject(object) || !Object.hasOwn(object, field)) return undefined;
  const value = object[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Asks `docker-credential-NAME`. */
async function fromHelper(
  helper: string,
  server: string,
  variables: Variables,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  if (!/^[\w.-]+$/.test(helper)) {
    throw new ImageError(`${JSON.stringify(helper)} is no name of a credential helper`, {
      code: "denied",
    });
  }
  const { success, stdout, stderr } = await askHelper(program, server, variables);
  const text = new TextDecoder().decode(stdout).trim();
  if (!success) {
    // The helpers say so in these words, on either stream.
    const said = `${text} ${new TextDecoder().decode(stderr)}`.trim();
    if (/credentials not found|no credentials/i.test(said)) return undefined;
    throw new ImageError(`${program} fails for ${server}: ${said.split("\n")[0]}`, {
      code: "denied",
    });
  }
  const answer = parse(program, text);
  const [username, password] = [textIn(answer, "Username"), textIn(answer, "Secret")];
  if (password === undefined) return undefined;
  return username === TOKEN_USER
    ? { identityToken: password }
    : { username: username ?? "", password };
}

async function askHelper(
  program: string,
  server: string,
  env: Variables,
): Promise<CommandOutput> {
  try {
    const stdin = new Blob([server]).stream();
    return await recipe().command(program, {
      args: ["get"],
      clearEnv: true,
      env,
      stdin,
      stdout: "piped",
      stderr: "piped",
      timeout: 60_000,
    }).output();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ImageError(`${program}, which keeps the credentials of ${server}, is not installed`, {
      code: "denied",
      cause,
    });
  }
}

function parse(program: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ImageError(`${program} answers what is not JSON`, { code: "denied", cause });
  }
}
