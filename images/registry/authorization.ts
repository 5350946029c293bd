/**
 * Authorization: what proves to a registry who one is. See the token specification of the distribution
 * project.
 *
 * @module
 */

import { isObject } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import { parseChallenges } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { discard, type HttpOptions, readBody, send } from "./http.ts";

/** A token, and until when it holds, in milliseconds since the epoch. */
interface Token {
  readonly header: string;
  readonly until: number;
}

/** The seconds that a token holds that says nothing of it. */
const USUAL_LIFE = 60;

const ANSWER_LIMIT = 1 << 20;

/** Proves who one is to one registry. */
export class Authorization {
  readonly #credentials: () => Promise<Credentials | undefined>;
  readonly #http: HttpOptions;
  readonly #tokens = new Map<string, Token>();

  constructor(credentials: () => Promise<Credentials | undefined>, http: HttpOptions) {
    this.#credentials = credentials;
    this.#http = http;
  }

  /** The header for a scope, if there is one already. */
  header(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    return token !== undefined && token.until > Date.now() ? token.header : undefined;
  }

  /**
   * Answers the challenge of a registry, and returns the header, if it is one that can be answered.
   *
   * @throws {ImageError} where the registry, or who gives tokens, refuses
   */
  async answer(url: URL, scope: string, response: Response): Promise<string | undefined> {
    this.#tokens.delete(scope);
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    await discard(response);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      return this.#keep(scope, await this.#fetchToken(url, bearer.parameters, scope));
    }
    if (!challenges.some(({ scheme }) => scheme === "basic")) return undefined;
    const credentials = await this.#credentials();
    if (credentials === undefined || !("username" in credentials)) return undefined;
    return this.#keep(scope, { header: basic(credentials), until: Infinity });
  }

  #keep(scope: string, token: Token): string {
    this.#tokens.set(scope, token);
    return token.header;
  }

  async #fetchToken(
    registry: URL,
    { realm, service }: Readonly<Record<string, string>>,
    scope: string,
  ): Promise<Token> {
    const url = realm === undefined ? null : URL.parse(realm, registry);
    if (url === null) {
      throw new ImageError(`${registry.host} asks for a token, and does not say whose`, {
        code: "network",
      });
    }
    const credentials = await this.#credentials();
    if (credentials !== undefined && registry.protocol === "https:" && url.protocol !== "https:") {
      throw new ImageError(
        `${registry.host} wants its credentials sent to ${url.host} without TLS, which is not done`,
        { code: "denied" },
      );
    }
    const response = await this.#request(url, service, scope, credentials);
    if (!response.ok) {
      await discard(response);
      throw refusedToken(registry, url, response.status, credentials);
    }
    return await this.#read(url, response);
  }

  #request(
    url: URL,
    service: string | undefined,
    scope: string,
    credentials: Credentials | undefined,
  ): Promise<Response> {
    const fields: Record<string, string> = service === undefined ? {} : { service };
    if (credentials !== undefined && "identityToken" in credentials) {
      const body = new URLSearchParams({
        grant_type: "refresh_token",
        client_id: "ramekin",
        refresh_token: credentials.identityToken,
        ...fields,
        scope,
      });
      return send({
        method: "POST",
        url,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new TextEncoder().encode(String(body)),
      }, this.#http);
    }
    const asked = new URL(url);
    for (const [name, value] of Object.entries(fields)) asked.searchParams.append(name, value);
    for (const one of scope.split(" ")) asked.searchParams.append("scope", one);
    if (credentials !== undefined) asked.searchParams.append("account", credentials.username);
    const headers: Record<string, string> = credentials === undefined
      ? {}
      : { authorization: basic(credentials) };
    return send({ method: "GET", url: asked, headers }, this.#http);
  }

  async #read(url: URL, response: Response): Promise<Token> {
    const what = `the token of ${url.host}`;
    const bytes = await readBody(what, response, ANSWER_LIMIT, this.#http.idleTimeout);
    const answer = parse(bytes);
    const token = isObject(answer) ? answer["token"] || answer["access_token"] : undefined;
    if (!isObject(answer) || typeof token !== "string" || /[^\x21-\x7e]/.test(token)) {
      throw new ImageError(`${url.host} was asked for a token, and has answered with none`, {
        code: "network",
      });
    }
    const life = Number(answer["expires_in"] ?? USUAL_LIFE);
    // It is not to end on its way.
    const used = Math.max(0, (Number.isFinite(life) ? life : USUAL_LIFE) - 5);
    return { header: `Bearer ${token}`, until: Date.now() + used * 1000 };
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

function refusedToken(
  registry: URL,
  url: URL,
  status: number,
  credentials: Credentials | undefined,
): ImageError {
  if (status >= 500 || status === 429) {
    return new ImageError(
      `${url.host} was asked for a token for ${registry.host}: status ${status}`,
      {
        code: "network",
      },
    );
  }
  return new ImageError(
    `${url.host} gives no token for ${registry.host} (status ${status}): ` +
      (credentials === undefined ? "a login is needed" : "it refuses the name or the password"),
    { code: "denied", advice: [loginAdvice(registry.host)] },
  );
}

/** How to log in. */
export function loginAdvice(registry: string): string {
  return `log in with docker login ${registry}, podman login or skopeo login, and try again`;
}
