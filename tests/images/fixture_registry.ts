/** A registry of the tests on 127.0.0.1, which can be as odd as those of the world. */

import { digestOf } from "../../images/digest.ts";
import { joined, type MadeImage } from "./made_image.ts";

/** What the registry does in place of its own answer; `undefined` for that. */
export type Answer = (
  request: Request,
  url: URL,
) => Response | undefined | Promise<Response | undefined>;

/** What the registry is asked for, before it answers. */
export type Auth =
  | "none"
  | "basic"
  /** A token, from the registry itself. */
  | "bearer";

/** A registry. */
export class FixtureRegistry implements AsyncDisposable {
  /** Its name: `127.0.0.1:PORT`. */
  readonly host: string;
  /** The requests: `GET /v2/...`. */
  readonly requests: string[] = [];
  /** The credentials that it takes. */
  readonly user = { username: "cook", password: "salt" };
  /** What it asks for. */
  auth: Auth = "none";
  /** What it does in place of its own answers. */
  answer: Answer = () => undefined;
  /** What it answers in the end, once it has done what it was asked for. */
  after: Answer = () => undefined;
  /** How often a token was given. */
  tokens = 0;
  /** The first token that it takes. */
  firstToken = 1;
  /** How long a token holds, in seconds. */
  tokenLife = 300;
  /** Whether it mounts blobs of other repositories. */
  mounts = true;
  /** Its blobs and manifests. */
  readonly blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly manifests = new Map<string, { type: string; digest: string }>();
  readonly #uploads = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#serve(request),
    );
    this.host = `127.0.0.1:${this.#server.addr.port}`;
  }

  /** Puts an image in a repository, by a tag, and returns its reference. */
  put(name: string, { manifest, blobs }: MadeImage): string {
    for (const [digest, bytes] of blobs) this.blobs.set(digest, bytes);
    const [repository, tag = "latest"] = name.split(":");
    for (const [digest, bytes] of blobs) {
      const type = typeIn(bytes);
      if (type !== undefined) this.manifests.set(`${repository}@${digest}`, { type, digest });
    }
    const { mediaType: type, digest } = manifest;
    this.manifests.set(`${repository}@${tag}`, { type, digest });
    return `${this.host}/${name}`;
  }

  async #serve(request: Request): Promise<Response> {
    const response = await this.#respond(request);
    return await this.after(request, new URL(request.url)) ?? response;
  }

  async #respond(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const special = await this.answer(request, url);
    if (special !== undefined) return special;
    if (url.pathname === "/token") return this.#token(request);
    const refused = this.#refused(request, url);
    if (refused !== undefined) return refused;
    const manifest = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname);
    if (manifest !== null) return await this.#manifest(request, manifest[1]!, manifest[2]!);
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/(.*)$/.exec(url.pathname);
    if (upload !== null) return await this.#upload(request, url, upload[1]!, upload[2]!);
    const blob = /^\/v2\/(.+)\/blobs\/(.+)$/.exec(url.pathname);
    if (blob !== null) return this.blob(request, blob[2]!);
    return url.pathname === "/v2/" ? new Response("{}") : missing();
  }

  #token(request: Request): Response {
    const wanted = `Basic ${btoa(`${this.user.username}:${this.user.password}`)}`;
    if (request.headers.get("authorization") !== wanted) return new Response(null, { status: 401 });
    this.tokens++;
    return Response.json({ token: `token${this.tokens}`, expires_in: this.tokenLife });
  }

  #refused(request: Request, url: URL): Response | undefined {
    const given = request.headers.get("authorization");
    const basic = `Basic ${btoa(`${this.user.username}:${this.user.password}`)}`;
    const isIn = this.auth === "none" || this.auth === "basic" && given === basic ||
      this.auth === "bearer" &&
        Number(/^Bearer token(\d+)$/.exec(given ?? "")?.[1]) >= this.firstToken;
    if (isIn) return undefined;
    const name = /^\/v2\/(.+?)\/(manifests|blobs)\//.exec(url.pathname)?.[1];
    const challenge = this.auth === "basic"
      ? `Basic realm="kitchen, \\"main\\""`
      : `Bearer realm="http://${this.host}/token",service="kitchen",scope="repository:${name}:pull"`;
    return new Response(null, { status: 401, headers: { "www-authenticate": challenge } });
  }

  async #manifest(request: Request, repository: string, reference: string): Promise<Response> {
    if (request.method === "PUT") {
      const bytes = new Uint8Array(await request.arrayBuffer());
      const type = request.headers.get("content-type")!;
      const digest = digestOf(bytes);
      this.blobs.set(digest, bytes);
      for (const name of [reference, digest]) {
        this.manifests.set(`${repository}@${name}`, { type, digest });
      }
      return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
    }
    const found = this.manifests.get(`${repository}@${reference}`);
    const accepted = request.headers.get("accept") ?? "";
    if (found === undefined || !accepted.includes(found.type)) return missing();
    const bytes = this.blobs.get(found.digest)!;
    return new Response(request.method === "HEAD" ? null : bytes, {
      headers: {
        "content-type": found.type,
        "content-length": String(bytes.length),
        "docker-content-digest": found.digest,
      },
    });
  }

  /** Answers with a blob, or the range of it that is asked for. */
  blob(request: Request, digest: string): Response {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return missing();
    if (request.method === "HEAD") {
      return new Response(null, { headers: { "content-length": String(bytes.length) } });
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "");
    if (range === null) return new Response(bytes);
    const begin = Number(range[1]);
    if (begin >= bytes.length) return new Response("no such range", { status: 416 });
    return new Response(bytes.subarray(begin), {
      status: 206,
      headers: { "content-range": `bytes ${begin}-${bytes.length - 1}/${bytes.length}` },
    });
  }

  async #upload(request: Request, url: URL, repository: string, id: string): Promise<Response> {
    const location = (id: string) => ({
      location: `/v2/${repository}/blobs/uploads/${id}?state=1`,
    });
    if (request.method === "POST") {
      const mount = url.searchParams.get("mount");
      if (this.mounts && mount !== null && this.blobs.has(mount)) {
        return new Response(null, { status: 201 });
      }
      const id = crypto.randomUUID();
      this.#uploads.set(id, new Uint8Array());
      return new Response(null, { status: 202, headers: location(id) });
    }
    const body = new Uint8Array(await request.arrayBuffer());
    const before = this.#uploads.get(id);
    if (before === undefined) return missing();
    const range = /^(\d+)-(\d+)$/.exec(request.headers.get("content-range") ?? "");
    if (range !== null && Number(range[1]) !== before.length) {
      return new Response(null, {
        status: 416,
        headers: { ...location(id), range: `0-${before.length - 1}` },
      });
    }
    const whole = joined([before, body]);
    this.#uploads.set(id, whole);
    if (request.method === "PATCH") {
      return new Response(null, {
        status: 202,
        headers: { ...location(id), range: `0-${whole.length - 1}` },
      });
    }
    const digest = url.searchParams.get("digest")!;
    if (digestOf(whole) !== digest) return new Response(null, { status: 400 });
    this.blobs.set(digest, whole);
    return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function missing(): Response {
  return Response.json({ errors: [{ code: "UNKNOWN", message: "unknown" }] }, { status: 404 });
}

/** The media type of a manifest; `undefined` for other bytes. */
function typeIn(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  const { mediaType, layers, manifests } = JSON.parse(new TextDecoder().decode(bytes));
  if (mediaType !== undefined) return mediaType;
  if (manifests !== undefined) return "application/vnd.oci.image.index.v1+json";
  return layers === undefined ? undefined : "application/vnd.oci.image.manifest.v1+json";
}
