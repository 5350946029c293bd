/** Images from a registry that is as odd as those of the world. */

import { assert, assertEquals } from "@std/assert";
import { pull, type PullOptions, referrers } from "../../images/mod.ts";
import { Authorization } from "../../images/registry/authorization.ts";
import { type Credentials, findCredentials } from "../../images/registry/credentials.ts";
import { parseChallenges } from "../../images/registry/challenge.ts";
import { test } from "../support.ts";
import { FixtureRegistry } from "./fixture_registry.ts";
import { type MadeImage, makeImage, makeIndex } from "./made_image.ts";
import { assertImageError, inDirectory, QUICK } from "./support.ts";

/** A test with a registry. */
function withRegistry(
  name: string,
  body: (registry: FixtureRegistry, get: Get) => Promise<void>,
): void {
  inDirectory(name, async (directory) => {
    await using registry = new FixtureRegistry();
    let count = 0;
    await body(registry, async (reference, options = {}) => {
      const store = `${directory}/store${count++}`;
      const all = { store, unpack: false, credentials: () => undefined, ...QUICK, ...options };
      await using image = await pull(reference, all);
      return image.digest;
    });
  });
}

/** Pulls into a store of its own, and returns the digest. */
type Get = (reference: string, options?: PullOptions) => Promise<string>;

/** An image with a layer that takes several parts to download. */
function largeImage(): MadeImage {
  const content = new Uint8Array(300_000);
  for (let at = 0; at < content.length; at += 50_000) {
    crypto.getRandomValues(content.subarray(at, at + 50_000));
  }
  return makeImage({ layers: [[{ name: "file", content }]] });
}

const USER = { username: "cook", password: "salt" };

withRegistry("an image is pulled by its tag and by its digest", async (registry, get) => {
  const image = makeImage();
  const reference = registry.put("team/tool:1", image);
  assertEquals(await get(reference), image.manifest.digest);
  const byDigest = `${registry.host}/team/tool@${image.manifest.digest}`;
  assertEquals(await get(byDigest), image.manifest.digest);
  const other = makeImage({ config: { User: "1" } });
  registry.put("team/tool:1", other);
  assertEquals(
    await get(`${registry.host}/team/tool:1@${image.manifest.digest}`),
    image.manifest.digest,
  );
  await assertImageError(() => get(`${registry.host}/team/tool:2`), "not-found", "team/tool:2");
  const wrong = new Uint8Array([...image.blobs.get(image.manifest.digest)!, 32]);
  registry.blobs.set(image.manifest.digest, wrong);
  await assertImageError(() => get(byDigest), "digest", "the manifest of", image.manifest.digest);
});

withRegistry("a login is by token or by name, where the registry asks", async (registry, get) => {
  const reference = registry.put("tool:1", makeImage());
  for (const auth of ["basic", "bearer"] as const) {
    registry.auth = auth;
    await get(reference, { credentials: USER });
    await assertImageError(() => get(reference), "denied", "a login is needed", "docker login");
    const wrong = { username: "cook", password: "sugar" };
    await assertImageError(() => get(reference, { credentials: wrong }), "denied");
  }
});

withRegistry("a token that ends is asked for again", async (registry, get) => {
  registry.auth = "bearer";
  const image = makeImage({
    layers: [[], [], []].map((_, at) => [{ name: `${at}`, content: "x" }]),
  });
  const reference = registry.put("tool:1", image);
  registry.tokenLife = 0;
  await get(reference, { credentials: USER });
  assert(registry.tokens > 3, `${registry.tokens} tokens`);
  // The registry takes one back that would hold.
  registry.tokenLife = 300;
  registry.answer = (request) => {
    if (request.url.includes("/blobs/") && registry.firstToken === 1) {
      registry.firstToken = registry.tokens + 1;
    }
    return undefined;
  };
  await get(reference, { credentials: USER });
  assert(registry.firstToken > 1);
});

withRegistry("a redirect takes no credentials to another host", async (registry, get) => {
  registry.auth = "bearer";
  const image = largeImage();
  const reference = registry.put("tool:1", image);
  await using other = new FixtureRegistry();
  for (const [digest, bytes] of image.blobs) other.blobs.set(digest, bytes);
  const seen: (string | null)[] = [];
  other.answer = (request, url) => {
    seen.push(request.headers.get("authorization"));
    return other.blob(request, url.pathname.slice(1));
  };
  registry.answer = (request, url) => {
    const digest = /\/blobs\/(.+)$/.exec(url.pathname)?.[1];
    if (digest === undefined || !request.headers.has("authorization")) return undefined;
    return new Response(null, {
      status: 307,
      headers: { location: `http://${other.host}/${digest}` },
    });
  };
  assertEquals(await get(reference, { credentials: USER }), image.manifest.digest);
  assertEquals(seen, [null, null]);
  // Nor does that host say who gets them.
  other.answer = (request, url) => {
    if (url.pathname === "/token") seen.push(request.headers.get("authorization"));
    const challenge = `Bearer realm="http://${other.host}/token",service="other"`;
    return new Response(null, { status: 401, headers: { "www-authenticate": challenge } });
  };
  await assertImageError(() => get(reference, { credentials: USER }), "denied");
  assertEquals(seen, [null, null]);
  registry.answer = (_, url) =>
    url.pathname.includes("/blobs/")
      ? new Response(null, { status: 307, headers: { location: url.pathname } })
      : undefined;
  await assertImageError(() => get(reference, { credentials: USER }), "network", "without an end");
});

withRegistry(
  "a registry has no file of this machine read, nor told a token in it",
  async (registry, get) => {
    const reference = registry.put("tool:1", makeImage());
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(file, '{"access_token":"mine"}');
      const told: (string | null)[] = [];
      const answers = {
        token: { status: 401, headers: { "www-authenticate": `Bearer realm="file://${file}"` } },
        redirect: { status: 307, headers: { location: `file://${file}` } },
      };
      for (const answer of Object.values(answers)) {
        registry.answer = (request) => {
          told.push(request.headers.get("authorization"));
          return new Response(null, answer);
        };
        await assertImageError(() => get(reference), "denied", `"file://${file}`, "of the web");
      }
      assertEquals(told, [null, null]);
    } finally {
      await Deno.remove(file);
    }
  },
);

withRegistry(
  "a broken download is gone on with, whatever the ranges are",
  async (registry, get) => {
    const image = largeImage();
    const reference = registry.put("tool:1", image);
    const { digest, size } = image.layers[0]!;
    const bytes = image.blobs.get(digest)!;
    let ranges: (string | null)[] = [];
    /** Breaks the first requests for the layer after a part, and answers ranges in its own way. */
    const breaking = (times: number, ranged: (begin: number) => Response) => {
      ranges = [];
      registry.answer = (request, url) => {
        if (!url.pathname.endsWith(digest)) return undefined;
        const range = request.headers.get("range");
        ranges.push(range);
        const begin = Number(/\d+/.exec(range ?? "")?.[0] ?? 0);
        if (times-- > 0) return new Response(bytes.subarray(begin, begin + 100_000));
        return range === null ? undefined : ranged(begin);
      };
    };
    const partial = (begin: number, said: string) =>
      new Response(bytes.subarray(begin), { status: 206, headers: { "content-range": said } });

    breaking(1, (begin) => partial(begin, `bytes ${begin}-${size - 1}/${size}`));
    assertEquals(await get(reference), image.manifest.digest);
    assertEquals(ranges, [null, "bytes=100000-"]);
    // The registry gives the whole blob.
    breaking(1, () => new Response(bytes));
    assertEquals(await get(reference), image.manifest.digest);
    // It gives another range than it was asked for, and is then asked for no more.
    breaking(1, () => partial(5, `bytes 5-${size - 1}/${size}`));
    assertEquals(await get(reference), image.manifest.digest);
    assertEquals(ranges, [null, "bytes=100000-", null]);
    // It knows no such range.
    breaking(1, () => new Response("no such range", { status: 416 }));
    assertEquals(await get(reference), image.manifest.digest);
    breaking(100, () => partial(0, "none"));
    await assertImageError(() => get(reference, { retries: 3 }), "network", "breaks off", digest);
  },
);

withRegistry("a registry that is busy is asked again, when it wants", async (registry, get) => {
  const reference = registry.put("tool:1", makeImage());
  for (const status of [429, 503]) {
    let left = 2;
    registry.answer = () => {
      return left-- > 0
        ? new Response(null, { status, headers: { "retry-after": "0" } })
        : undefined;
    };
    await get(reference);
  }
  registry.answer = () => new Response(null, { status: 429 });
  await assertImageError(
    () => get(reference, { retries: 1 }),
    "network",
    "takes no more requests for now",
    "a mirror",
  );
});

withRegistry("more than a blob has is not taken", async (registry, get) => {
  const image = largeImage();
  const reference = registry.put("tool:1", image);
  const { digest } = image.layers[0]!;
  registry.blobs.set(digest, new Uint8Array([...image.blobs.get(digest)!, 0]));
  await assertImageError(() => get(reference), "digest", digest, "another size");
});

withRegistry("a mirror is asked first, and the registry where it fails", async (registry, get) => {
  await using mirror = new FixtureRegistry();
  const image = makeImage();
  const reference = registry.put("team/tool:1", image);
  const mirrors = { [registry.host]: [`${mirror.host}/prefix`] };
  assertEquals(await get(reference, { mirrors }), image.manifest.digest);
  assertEquals(
    mirror.requests.filter((it) => it.includes("/prefix/team/tool/manifests/1")).length,
    1,
  );
  mirror.put("prefix/team/tool:1", image);
  registry.requests.length = 0;
  assertEquals(await get(reference, { mirrors }), image.manifest.digest);
  assertEquals(registry.requests, []);
});

withRegistry("a pull that is ended leaves what can be gone on with", async (registry, get) => {
  const image = largeImage();
  const reference = registry.put("tool:1", image);
  const { digest } = image.layers[0]!;
  const bytes = image.blobs.get(digest)!;
  const store = await Deno.makeTempDir();
  try {
    const ender = new AbortController();
    const ranges: (string | null)[] = [];
    registry.answer = (request, url) => {
      if (!url.pathname.endsWith(digest)) return undefined;
      ranges.push(request.headers.get("range"));
      if (ranges.length > 1) return undefined;
      return new Response(
        new ReadableStream({ start: (controller) => controller.enqueue(bytes.subarray(0, 9000)) }),
      );
    };
    const ended = get(reference, {
      store,
      signal: ender.signal,
      progress: (event) => {
        if (event.kind === "download" && event.bytes === 9000) ender.abort();
      },
    }).catch((error) => error.name);
    assertEquals(await ended, "AbortError");
    assertEquals(await get(reference, { store }), image.manifest.digest);
    assertEquals(ranges, [null, "bytes=9000-"]);
  } finally {
    await Deno.remove(store, { recursive: true });
  }
});

inDirectory("a registry where nobody listens is told by name, without a wait", async (store) => {
  const options = { store, ...QUICK, retries: 5, retryDelay: 3_600_000 };
  await assertImageError(
    () => pull("127.0.0.1:1/tool", options),
    "network",
    "127.0.0.1:1 cannot be reached",
  );
  const { port } = (() => {
    using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    return listener.addr;
  })();
  await assertImageError(
    () => pull(`127.0.0.1:${port}/tool`, options),
    "network",
    "Connection refused",
  );
});

inDirectory("credentials are found where docker and podman keep them", async (directory) => {
  const host = "registry.example:5000";
  const auth = btoa("cook:salt");
  const helper = `${directory}/docker-credential-kitchen`;
  const answer = `{"Username":"cook","Secret":"salt"}`;
  Deno.writeTextFileSync(
    helper,
    `#!/bin/sh\nread -r server\n[ "$server" = ${host} ] && echo '${answer}'\n`,
  );
  Deno.chmodSync(helper, 0o755);
  const files: readonly Record<string, unknown>[] = [
    { auths: { [host]: { auth } } },
    { auths: { [`https://${host}/v1/`]: { auth } } },
    { auths: { [host]: { auth: btoa("x:y") }, [`${host}/team`]: { auth } } },
    { credHelpers: { [host]: "kitchen" } },
    { credsStore: "kitchen" },
  ];
  const found = async (file: unknown, name: string) => {
    const path = `${directory}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, JSON.stringify(file));
    return await findCredentials(host, "team/tool", {
      HOME: `${directory}/home`,
      PATH: `${directory}:${Deno.env.get("PATH")}`,
      ...(name === "auth.json" && { REGISTRY_AUTH_FILE: path }),
    });
  };
  for (const file of files) {
    assertEquals(await found(file, "auth.json"), USER, JSON.stringify(file));
  }
  assertEquals(await found(files[0], "home/.docker/config.json"), USER);
  assertEquals(await found({ auths: {} }, "auth.json"), undefined);
  const token = { auths: { [host]: { identitytoken: "pepper" } } };
  assertEquals(await found(token, "home/.config/containers/auth.json"), {
    identityToken: "pepper",
  });
  const missing = () => found({ credsStore: "nonesuch" }, "auth.json");
  await assertImageError(missing, "denied", "docker-credential-nonesuch", "is not installed");
  const failing = () => found({ credHelpers: { [host]: "kitchen" } }, "auth.json");
  Deno.writeTextFileSync(helper, "#!/bin/sh\necho the stove is cold >&2; exit 1\n");
  await assertImageError(failing, "denied", "the stove is cold");
  Deno.writeTextFileSync(
    helper,
    "#!/bin/sh\necho credentials not found in native keychain; exit 1\n",
  );
  assertEquals(await failing(), undefined);
});

test("challenges are parsed as RFC 9110 has them", () => {
  const header = `Basic realm="a, \\"b\\"", Bearer realm="https://x/y?z=1",service=s,scope="p q"`;
  assertEquals(parseChallenges(header), [
    { scheme: "basic", parameters: { realm: `a, "b"` } },
    { scheme: "bearer", parameters: { realm: "https://x/y?z=1", service: "s", scope: "p q" } },
  ]);
  assertEquals(parseChallenges("Negotiate"), [{ scheme: "negotiate", parameters: {} }]);
  assertEquals(parseChallenges(""), []);
});

inDirectory("signatures are told, by the interface for them and by tags", async () => {
  await using registry = new FixtureRegistry();
  const image = makeImage();
  const reference = registry.put("tool:1", image);
  const { digest } = image.manifest;
  const kinds = async () => (await referrers(reference, QUICK)).map(({ kind }) => kind);
  assertEquals(await kinds(), []);
  const artifactType = "application/vnd.cncf.notary.signature";
  const signatures = makeIndex([makeImage({ config: { User: "1" } })], () => ({ artifactType }));
  registry.put(`tool:${digest.replace(":", "-")}`, signatures);
  registry.put(`tool:${digest.replace(":", "-")}.sig`, makeImage({ config: { User: "2" } }));
  assertEquals(await kinds(), ["notation", "cosign"]);
  const pages = [makeIndex([image], () => ({ artifactType: "text/plain" })), signatures];
  registry.answer = (_, url) => {
    if (!url.pathname.includes("/referrers/")) return undefined;
    const page = Number(url.searchParams.get("page") ?? 0);
    const next = page === 0 ? { link: `<${url.pathname}?page=1>; rel="next"` } : {};
    return new Response(pages[page]!.blobs.get(pages[page]!.manifest.digest), {
      headers: next as HeadersInit,
    });
  };
  assertEquals(await kinds(), ["other", "notation", "cosign"]);
  registry.answer = (_, url) => {
    if (!url.pathname.includes("/referrers/")) return undefined;
    const link = `<${url.pathname}>; rel="next"`;
    return new Response(pages[0]!.blobs.get(pages[0]!.manifest.digest), { headers: { link } });
  };
  await assertImageError(kinds, "invalid", "on more pages");
});

test("a registry with TLS may name who gives tokens without, to whom no credentials are sent", async () => {
  const asked: (string | null)[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      asked.push(request.headers.get("authorization"));
      return Response.json({ token: "open" });
    },
  );
  using client = Deno.createHttpClient({});
  const realm = `http://127.0.0.1:${server.addr.port}/token`;
  const answer = (credentials?: Credentials) => {
    const http = { client, idleTimeout: 10_000 };
    const authorization = new Authorization(() => Promise.resolve(credentials), http);
    const headers = { "www-authenticate": `Bearer realm="${realm}",service="kitchen"` };
    const url = new URL("https://registry.example/v2/");
    return authorization.answer(url, "repository:tool:pull", new Response(null, { headers }));
  };
  // As docker and podman do: what comes of such a token is checked by digests, and nothing is told.
  assertEquals(await answer(), "Bearer open");
  const cook = { username: "cook", password: "salt" };
  await assertImageError(() => answer(cook), "denied", "without TLS, which is not done");
  assertEquals(asked, [null]);
});
