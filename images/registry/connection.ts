/**
 * A connection to one registry: requests with authorization, made again where they fail for a moment.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { isObject } from "../descriptor.ts";
import { Authorization, loginAdvice } from "./authorization.ts";
import { type Credentials, findCredentials } from "./credentials.ts";
import { discard, type HttpOptions, readBody, send } from "./http.ts";
import type { RegistryOptions } from "./options.ts";
import { isPassing, Tries } from "./retry.ts";
import { clientFor } from "./tls.ts";

/** The address of the registry that is called docker.io. */
const DOCKER_HUB = "registry-1.docker.io";

/** A request to a registry. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path from `/v2/` on, or a whole address that the registry has given. */
  readonly path: string | URL;
  /** What it is for: `repository:library/debian:pull`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** The statuses that are answers; another is an error. */
  readonly expects: readonly number[];
  /** What it is about, for errors: "the manifest of debian:12". */
  readonly what: string;
}

/** A connection to one registry. */
export class RegistryConnection implements Disposable {
  /** The name of the registry. */
  readonly registry: string;
  /** How long nothing may come, in milliseconds. */
  readonly idleTimeout: number;
  readonly #options: RegistryOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #http: HttpOptions;
  readonly #authorization: Authorization;
  #base: Promise<URL> | undefined;
  #hasAnswered = false;

  private constructor(
    registry: string,
    options: RegistryOptions,
    http: HttpOptions,
    credentials: () => Promise<Credentials | undefined>,
  ) {
    this.registry = registry;
    this.idleTimeout = http.idleTimeout;
    this.#options = options;
    this.#signal = http.signal;
    this.#http = http;
    this.#authorization = new Authorization(credentials, http);
  }

  /** Makes a connection; nothing is sent yet. */
  static async open(
    registry: string,
    repository: string,
    options: RegistryOptions,
    signal?: AbortSignal,
  ): Promise<RegistryConnection> {
    const { idleTimeout = 60_000, credentials } = options;
    const http = { client: await clientFor(registry, options), signal, idleTimeout };
    let found: Promise<Credentials | undefined> | undefined;
    const find = async () =>
      credentials === undefined
        ? await findCredentials(registry, repository)
        : typeof credentials === "function"
        ? await credentials(registry, repository)
        : credentials;
    return new RegistryConnection(registry, options, http, () => found ??= find());
  }

  /**
   * Makes a request, and returns the response, whose body has to be read or let go of.
   *
   * @throws {ImageError} where there is no answer that it expects
   */
  async request(request: RegistryRequest): Promise<Response> {
    const url = await this.#url(request);
    const tries = new Tries(this.#options, this.#signal);
    let [asked, answered] = [false, undefined as string | undefined];
    for (;;) {
      const authorization = answered ?? this.#authorization.header(request.scope);
      const response = await this.#try(request, url, tries, authorization);
      if (response === undefined) continue;
      if (request.expects.includes(response.status)) return response;
      // A token may have ended meanwhile: one more is asked for, once.
      if (response.status === 401 && !asked && await this.#isOwn(new URL(response.url))) {
        asked = true;
        answered = await this.#answer(request, url, response, tries);
        if (answered !== undefined) continue;
      }
      if (isPassing(response.status) && await tries.next(response)) {
        await discard(response);
        continue;
      }
      throw await this.#refusal(request, response);
    }
  }

  /** Makes the request once; `undefined` where it failed and is to be made again. */
  async #try(
    request: RegistryRequest,
    url: URL,
    tries: Tries,
    authorization: string | undefined,
  ): Promise<Response | undefined> {
    const { method, headers = {}, body } = request;
    // A registry may name another host to send something to, which gets no credentials of this one.
    const isOwn = await this.#isOwn(url);
    try {
      const response = await send({
        method,
        url,
        body,
        headers: { ...headers, ...(isOwn && authorization !== undefined && { authorization }) },
      }, this.#http);
      this.#hasAnswered = true;
      return response;
    } catch (error) {
      if (await this.#isOver(error, tries)) throw this.#unreachable(url, error);
      return undefined;
    }
  }

  /** Whether an address is the registry's: no other host is told, or says to whom to tell, who one is. */
  async #isOwn(url: URL): Promise<boolean> {
    return url.origin === (await this.base()).origin;
  }

  async #answer(
    request: RegistryRequest,
    url: URL,
    response: Response,
    tries: Tries,
  ): Promise<string | undefined> {
    for (;;) {
      try {
        return await this.#authorization.answer(url, request.scope, response);
      } catch (error) {
        if (await this.#isOver(error, tries)) throw this.#unreachable(url, error);
      }
    }
  }

  /** Whether the error is the last word. */
  async #isOver(error: unknown, tries: Tries): Promise<boolean> {
    this.#signal?.throwIfAborted();
    // A registry that is started again refuses for a moment; one that never answered is not there.
    const mayPass = error instanceof TypeError && (this.#hasAnswered || !isLasting(error)) ||
      error instanceof ImageError && error.code === "network";
    return !mayPass || !await tries.next();
  }

  #unreachable(url: URL, error: unknown): unknown {
    if (!(error instanceof TypeError)) return error;
    return new ImageError(`${this.registry} cannot be reached: ${reasonOf(error)}`, {
      code: "network",
      cause: error,
      advice: isTls(error)
        ? [
          url.protocol === "https:"
            ? `a registry without TLS has to be named: --plain-http; another authority is put into ` +
              `/etc/containers/certs.d/${this.registry}/ca.crt`
            : "",
        ].filter((line) => line !== "")
        : [],
    });
  }

  async #url({ path }: RegistryRequest): Promise<URL> {
    if (path instanceof URL) return path;
    return new URL(`/v2/${path}`, await this.base());
  }

  /** The address of the registry. */
  base(): Promise<URL> {
    return this.#base ??= this.#findBase();
  }

  /** With TLS, but for those that are said to have none, and those of this machine that have none. */
  async #findBase(): Promise<URL> {
    const { plainHttp = false, socket } = this.#options;
    const host = this.registry === "docker.io" ? DOCKER_HUB : this.registry;
    const isPlain = plainHttp === true ||
      Array.isArray(plainHttp) && plainHttp.includes(this.registry);
    if (isPlain || socket !== undefined) return new URL(`http://${host}`);
    const https = new URL(`https://${host}`);
    if (!isLoopback(https.hostname)) return https;
    try {
      await discard(
        await send({ method: "GET", url: new URL("/v2/", https), headers: {} }, this.#http),
      );
      return https;
    } catch (error) {
      this.#signal?.throwIfAborted();
      // What answers is not TLS. A certificate that is not trusted is an error, of the next request.
      const isPlain = error instanceof TypeError && !/certificate/i.test(reasonOf(error)) &&
        isTls(error);
      return isPlain ? new URL(`http://${host}`) : https;
    }
  }

  async #refusal({ what, path }: RegistryRequest, response: Response): Promise<ImageError> {
    const { status } = response;
    const said = await this.#saidBy(response);
    const words = said === "" ? `status ${status}` : `status ${status}, ${said}`;
    if (status === 404) {
      return new ImageError(`${this.registry} does not have ${what} (${words})`, {
        code: "not-found",
      });
    }
    if (status === 401 || status === 403) {
      return new ImageError(`${this.registry} refuses ${what} (${words})`, {
        code: "denied",
        advice: [`it does not exist, or a login is needed: ${loginAdvice(this.registry)}`],
      });
    }
    if (status === 429) {
      return new ImageError(`${this.registry} takes no more requests for now (${words})`, {
        code: "network",
        advice: ["wait, log in for a higher limit, or name a mirror with --mirror"],
      });
    }
    const where = path instanceof URL ? path.pathname : `/v2/${path}`;
    return new ImageError(`${this.registry} fails for ${what}: ${words} of ${where}`, {
      code: "network",
    });
  }

  /** What the registry says of a refusal. */
  async #saidBy(response: Response): Promise<string> {
    // The body of this status has another length than its head says, and cannot be read.
    if (response.status === 416) return "";
    try {
      const bytes = await readBody("the answer", response, 64 * 1024, this.idleTimeout);
      const answer: unknown = JSON.parse(new TextDecoder().decode(bytes));
      const [first] = isObject(answer) && Array.isArray(answer["errors"]) ? answer["errors"] : [];
      if (!isObject(first)) return "";
      return [first["code"], first["message"]].filter((it) => typeof it === "string").join(": ");
    } catch {
      return "";
    }
  }

  [Symbol.dispose](): void {
    this.#http.client.close();
  }
}

/** Whether a host is this machine. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || /^127(\.\d+){3}$/.test(host) ||
    host === "[::1]";
}

/** The last causes of a failure, without the address, which may have what is to be hidden. */
function reasonOf(error: Error): string {
  const text = [error.message, (error.cause as Error | undefined)?.message ?? ""].join(": ");
  return text.replace(/^fetch failed: /, "")
    .replace(/^error sending request (from \S+ )?for url \([^)]*\):? ?/, "")
    .replace(/^client error \(Connect\): /, "").replace(/: $/, "");
}

function isTls(error: Error): boolean {
  return /tls|certificate|corrupt message|InvalidContentType/i.test(reasonOf(error));
}

/** Whether the next try fails as this one: nobody is there, or it is not trusted. */
function isLasting(error: Error): boolean {
  return /Connection refused|are blocked|Name or service not known|certificate/i
    .test(reasonOf(error));
}
